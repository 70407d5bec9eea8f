#version 330 core
// Density in sigma as a tint, with a line at every level; below zero the lines are broken and the tint is hatched.
#include common
uniform sampler2D density;
uniform vec3 positive;
uniform vec3 negative;
uniform float spacing;      // sigma between the lines
uniform float floor_level;  // sigma below which nothing is tinted
in vec2 place;
in vec3 v;
out vec4 fragment;

void main() {
    float value = texture(density, 0.5 + 0.5 * place).r;
    float size = abs(value);
    float rim = 1.0 - smoothstep(0.92, 1.0, length(place));
    float level = value / spacing;
    float slope = max(fwidth(level), 1e-6);
    float line = 1.0 - smoothstep(0.6, 1.4, abs(fract(level - 0.5) - 0.5) / slope);
    line *= step(0.5 * spacing, size) * (1.0 - smoothstep(0.35, 0.7, slope));
    bool upright = abs(dFdx(value)) > abs(dFdy(value));
    if (value < 0.0 && fract((upright ? gl_FragCoord.y : gl_FragCoord.x) / 9.0) < 0.4) line = 0.0;
    float tint = 0.55 * smoothstep(floor_level, floor_level + 4.0 * spacing, size);
    if (value < 0.0 && fract((gl_FragCoord.x + gl_FragCoord.y) / 8.0) < 0.5) tint *= 0.3;
    vec3 colour = value < 0.0 ? negative : positive;
    fragment = vec4(colour, max(tint, 0.9 * line) * rim);
}
