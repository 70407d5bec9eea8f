#version 330 core
// One quad per stick (a capsule: a rod with round ends; a ball is a rod without length), facing the eye.
#include common
uniform vec4 halo;
in vec3 end_a;
in vec3 end_b;
in float radius;
in vec4 colour_a;           // 0..255, as the two that follow
in vec4 colour_b;
in vec4 glow;
flat out vec3 a;
flat out vec3 b;
flat out float r;
flat out vec4 tint_a;
flat out vec4 tint_b;
flat out vec2 shine;
out vec2 position;          // view coordinates of the fragment, angstrom

void main() {
    a = rotation * (end_a - centre);
    b = rotation * (end_b - centre);
    shine = glow.xy / 255.0;
    r = radius * (1.0 + 0.35 * max(shine.x, shine.y)) + halo.a;
    tint_a = colour_a / 255.0;
    tint_b = colour_b / 255.0;
    vec2 along = b.xy - a.xy;
    float span = length(along);
    along = span > 1e-5 ? along / span : vec2(1.0, 0.0);
    vec2 across = vec2(-along.y, along.x);
    float margin = r + pixel;
    float end = (gl_VertexID & 1) == 0 ? -margin : span + margin;
    float side = (gl_VertexID & 2) == 0 ? -margin : margin;
    position = a.xy + along * end + across * side;
    gl_Position = vec4(position / half_size, 0.0, 1.0);
}
