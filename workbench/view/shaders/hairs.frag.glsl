#version 330 core
in vec3 paint;
out vec4 fragment;

void main() { fragment = vec4(paint, 1.0); }
