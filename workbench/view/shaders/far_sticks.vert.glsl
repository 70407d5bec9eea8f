#version 330 core
// Rods that are only a few pixels thick: flat strips whose light is worked out at their corners. Hidden parts are sorted
// out before they are shaded. The ray-cast rods of sticks.frag.glsl look the same from here and cost several times more.
#include common
uniform vec3 glow_colour;
uniform vec4 halo;
in vec3 end_a;
in vec3 end_b;
in float radius;
in vec4 colour_a;           // 0..255, as the two that follow
in vec4 colour_b;
in vec4 glow;
flat out vec3 paint_a;      // colours of the halves, with the light and the fog in them
flat out vec3 paint_b;
flat out vec3 shade;        // light across the rod: shade.x + shade.y w + shade.z w^2
flat out float pixels;      // radius in pixels
out vec3 haze;              // what the fog adds
out float clear;            // what the fog leaves
out float across;           // w: -1..1 at the edges
out float place;            // along the rod in radii, 0 at a
flat out float span_in_radii;
out float entering;

float brightness(vec3 normal) { return lit(vec3(1.0), normal).g - gloss * pow(max(normal.z, 0.0), 28.0); }

void main() {
    vec3 a = rotation * (end_a - centre);
    vec3 b = rotation * (end_b - centre);
    vec2 shine = glow.xy / 255.0;
    float warm = max(shine.x, shine.y);
    float r = radius * (1.0 + 0.35 * warm) + halo.a;
    vec2 along = b.xy - a.xy;
    float span = length(along);
    along = span > 1e-5 ? along / span : vec2(1.0, 0.0);
    vec2 perpendicular = vec2(-along.y, along.x);
    float reach = r + 0.5 * pixel;
    bool second = (gl_VertexID & 1) != 0;
    float edge = (gl_VertexID & 2) == 0 ? -1.0 : 1.0;
    vec2 position = (second ? b.xy + reach * along : a.xy - reach * along) + edge * reach * perpendicular;
    place = (second ? span + reach : -reach) / r;
    span_in_radii = span / r;
    across = edge * reach / r;
    pixels = r / pixel;
    float z = (second ? b.z : a.z) + (halo.a > 0.0 ? -r - 0.3 : r);
    gl_Position = vec4(position / half_size, 2.0 * depth_of(z) - 1.0, 1.0);

    float middle = brightness(vec3(0.0, 0.0, 1.0));
    float low = brightness(vec3(-perpendicular, 0.0));
    float high = brightness(vec3(perpendicular, 0.0));
    shade = halo.a > 0.0 ? vec3(1.0, 0.0, 0.0) : vec3(middle, 0.5 * (high - low), 0.5 * (high + low) - middle);
    paint_a = halo.a > 0.0 ? halo.rgb : mix(colour_a.rgb / 255.0, glow_colour, shine.x);
    paint_b = halo.a > 0.0 ? halo.rgb : mix(colour_b.rgb / 255.0, glow_colour, shine.y);
    clear = (1.0 - fog_at(z) * (1.0 - 0.6 * warm)) * (halo.a > 0.0 ? 1.0 : (colour_a.a + colour_b.a) / 510.0);
    haze = background * (1.0 - clear);
    entering = entering_at(z);
}
