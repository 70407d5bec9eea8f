#version 330 core
uniform float broken;
in vec4 paint;
in float along;
out vec4 fragment;

void main() {
    if (abs(along - 0.5) < 0.5 * broken) discard;
    fragment = paint;
}
