#version 330 core
// Seen along z, the surface of a capsule is the envelope of balls whose centres run from a to b. The ball that lies
// highest over a point at u along and w across the projected axis is found in closed form, and with it depth and normal.
#include common
uniform vec3 glow_colour;
uniform vec4 halo;          // colour and extra radius of a rim around what is selected; 0 = draw the rod itself
flat in vec3 a;
flat in vec3 b;
flat in float r;
flat in vec4 tint_a;
flat in vec4 tint_b;
flat in vec2 shine;
in vec2 position;
out vec4 fragment;

void main() {
    vec2 axis = b.xy - a.xy;
    float span = max(length(axis), 1e-5);
    vec2 along = length(axis) > 1e-5 ? axis / span : vec2(1.0, 0.0);
    vec2 from_a = position - a.xy;
    float u = dot(from_a, along);
    float w = dot(from_a, vec2(-along.y, along.x));
    float rise = b.z - a.z;

    // Edge: distance to the projected axis, softened over one pixel.
    float outside = u - clamp(u, 0.0, span);
    float distance = length(vec2(outside, w));
    float coverage = clamp((r - distance) / pixel + 0.5, 0.0, 1.0);
    if (coverage <= 0.0) discard;

    float rho2 = max(r * r - w * w, 0.0);
    float lead = rise * sqrt(rho2) / sqrt(span * span + rise * rise);
    float s = clamp((u + lead) / span, 0.0, 1.0);
    vec2 offset = vec2(u - s * span, w);
    float height = sqrt(max(r * r - dot(offset, offset), 0.0));
    float z = a.z + s * rise + height;
    if (halo.a > 0.0) z -= 2.0 * height + 0.3;

    float depth = depth_of(z);
    if (depth <= 0.0 || depth >= 1.0) discard;
    gl_FragDepth = depth;

    vec3 normal = normalize(vec3(offset.x * along + offset.y * vec2(-along.y, along.x), height) + vec3(0.0, 0.0, 1e-6));
    vec4 tint = s < 0.5 ? tint_a : tint_b;
    vec3 colour = halo.a > 0.0 ? halo.rgb : lit(tint.rgb, normal);
    float warm = mix(shine.x, shine.y, s);
    colour = mix(colour, glow_colour * (0.65 + 0.35 * normal.z), warm);

    float fog = fog_at(z) * (1.0 - 0.6 * warm);
    fog = 1.0 - (1.0 - fog) * (halo.a > 0.0 ? 1.0 : tint.a);
    fragment = vec4(mix(colour, background, fog), coverage * entering_at(z));
}
