#version 330 core
flat in vec3 paint_a;
flat in vec3 paint_b;
flat in vec3 shade;
flat in float pixels;
in vec3 haze;
in float clear;
in float across;
in float place;
flat in float span_in_radii;
in float entering;
out vec4 fragment;

void main() {
    float beyond = place - clamp(place, 0.0, span_in_radii);
    float rim = 1.0 - sqrt(across * across + beyond * beyond);
    float coverage = rim * pixels + 0.5;
    if (coverage <= 0.0) discard;
    float light = (shade.x + across * (shade.y + across * shade.z)) * clear;
    fragment = vec4((place < 0.5 * span_in_radii ? paint_a : paint_b) * light + haze, clamp(coverage, 0.0, 1.0) * entering);
}
