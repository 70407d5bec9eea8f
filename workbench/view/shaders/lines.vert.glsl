#version 330 core
// One quad per line segment: core profiles promise no line wider than one pixel, and device pixels may be small.
#include common
uniform float width;        // device pixels
uniform vec3 sphere;        // middle and radius of what was contoured
uniform float reach;
in vec3 end_a;
in vec3 end_b;
out float across;           // device pixels from the middle of the line
out float along;            // 0 at the first end, 1 at the second
out float strength;

void main() {
    bool second = (gl_VertexID & 1) != 0;
    vec3 here = second ? end_b : end_a;
    vec3 v = rotation * (here - centre);
    vec3 d = rotation * (end_b - end_a);
    float span = length(d.xy);
    vec2 direction = span > 1e-6 ? d.xy / span : vec2(1.0, 0.0);
    float half_width = 0.5 * width + 0.5;
    across = (gl_VertexID & 2) == 0 ? -half_width : half_width;
    along = second ? 1.0 : 0.0;
    vec2 position = v.xy + vec2(-direction.y, direction.x) * across * pixel;
    gl_Position = vec4(position / half_size, 2.0 * depth_of(v.z) - 1.0, 1.0);
    float rim = 1.0 - smoothstep(reach - 1.2, reach + 0.1, length(here - sphere));
    strength = (1.0 - fog_at(v.z)) * entering_at(v.z) * rim;
}
