#version 330 core
uniform vec3 background;
flat in uvec2 paints;
in vec2 part;
out vec4 fragment;

void main() {
    uint paint = part.x < 0.5 ? paints.x : paints.y;
    vec3 colour = vec3(float(paint & 255u), float((paint >> 8) & 255u), float(paint >> 16)) / 255.0;
    fragment = vec4(mix(background, colour, part.y), 1.0);
}
