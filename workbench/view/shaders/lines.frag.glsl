#version 330 core
uniform vec4 colour;
uniform float width;
in float across;
in float strength;
out vec4 fragment;

void main() {
    float coverage = clamp(0.5 * width + 0.5 - abs(across), 0.0, 1.0);
    fragment = vec4(colour.rgb, colour.a * strength * coverage);
}
