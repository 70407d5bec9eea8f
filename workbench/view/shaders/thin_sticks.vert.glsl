#version 330 core
// Rods of up to three pixels in quick pictures: lines as the driver draws them, which the processor does in half the time
// of strips. Two vertices for a rod, without instances (which software OpenGL draws one by one): an end finds the other
// one in the place before or behind its own. Their light is the mean over the visible half of the rod.
#include common
uniform vec3 glow_colour;
uniform float radius;
in vec3 before;
in vec3 here;
in vec3 after;
in vec4 colour_a;           // 0..255, as the two that follow
in vec4 colour_b;
in vec4 glow;
flat out uvec2 paints;      // colours of the halves with the light in them, a byte each: fewer numbers to carry across
out vec2 part;              // 0 at the first end, 1 at the second; what the fog leaves

float sidelight(float toward) {
    float diffuse = 0.5 + 0.5 * toward;
    return ambient + (1.0 - ambient) * diffuse * diffuse;
}

uint packed_bytes(vec3 colour) {
    uvec3 bytes = uvec3(clamp(colour, 0.0, 1.0) * 255.0 + 0.5);
    return bytes.r | (bytes.g << 8) | (bytes.b << 16);
}

void main() {
    bool second = (gl_VertexID & 1) != 0;
    vec3 v = rotation * (here - centre);
    vec3 along = rotation * ((second ? before : after) - here);
    float z = v.z + radius;
    gl_Position = vec4(v.xy / half_size, 2.0 * depth_of(z) - 1.0, 1.0);

    // As in far_sticks: light in the middle and at both edges, a parabola between them; a third of it is the mean.
    vec2 perpendicular = vec2(-along.y, along.x) * inversesqrt(dot(along.xy, along.xy) + 1e-8);
    float middle = sidelight(key.z) + 0.14 * fill.z;
    float slant = dot(perpendicular, key.xy);
    float edges = 0.31 * (sidelight(slant) + sidelight(-slant) + 0.14 * abs(dot(perpendicular, fill.xy)));
    float light = middle + (edges - middle) / 3.0;

    vec2 shine = glow.xy / 255.0;
    float warm = max(shine.x, shine.y);
    vec3 a = mix(colour_a.rgb / 255.0, glow_colour, shine.x) * light;
    vec3 b = mix(colour_b.rgb / 255.0, glow_colour, shine.y) * light;
    paints = uvec2(packed_bytes(a), packed_bytes(b));
    float clear = (1.0 - fog_at(z) * (1.0 - 0.6 * warm)) * (colour_a.a + colour_b.a) / 510.0 * entering_at(z);
    part = vec2(second ? 1.0 : 0.0, clear);
}
