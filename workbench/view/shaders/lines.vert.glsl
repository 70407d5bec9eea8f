#version 330 core
// One quad per line segment: core profiles promise no line wider than one pixel, and device pixels may be small.
uniform mat3 rotation;
uniform vec3 centre;
uniform vec2 half_size;
uniform float pixel;
uniform float width;        // device pixels
uniform float front;
uniform float back;
uniform float fog_start;
uniform float fog_end;
uniform float front_fade;
uniform vec3 sphere;        // middle and radius of what was contoured
uniform float reach;
in vec3 end_a;
in vec3 end_b;
out float across;           // device pixels from the middle of the line
out float strength;

void main() {
    bool second = (gl_VertexID & 1) != 0;
    vec3 here = second ? end_b : end_a;
    vec3 v = rotation * (here - centre);
    vec3 d = rotation * (end_b - end_a);
    float span = length(d.xy);
    vec2 along = span > 1e-6 ? d.xy / span : vec2(1.0, 0.0);
    float half_width = 0.5 * width + 0.5;
    across = (gl_VertexID & 2) == 0 ? -half_width : half_width;
    vec2 position = v.xy + vec2(-along.y, along.x) * across * pixel;
    float depth = (front - v.z) / (front + back);
    gl_Position = vec4(position / half_size, 2.0 * depth - 1.0, 1.0);
    float fog = smoothstep(0.0, 1.0, (fog_start - v.z) / (fog_start - fog_end));
    float entering = clamp((front - v.z) / front_fade, 0.0, 1.0);
    float rim = 1.0 - smoothstep(reach - 1.2, reach + 0.1, length(here - sphere));
    strength = (1.0 - fog) * entering * rim;
}
