#version 330 core
uniform vec4 colour;
uniform float width;
uniform float broken;       // share of every segment that is left out, in its middle
in float across;
in float along;
in float strength;
out vec4 fragment;

void main() {
    if (abs(along - 0.5) < 0.5 * broken) discard;
    float coverage = clamp(0.5 * width + 0.5 - abs(across), 0.0, 1.0);
    fragment = vec4(colour.rgb, colour.a * strength * coverage);
}
