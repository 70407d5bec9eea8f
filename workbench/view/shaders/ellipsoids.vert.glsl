#version 330 core
// An ellipsoid is a ball seen through a linear map: in its own frame a ray meets the unit ball.
#include common
in vec3 middle;
in vec3 axis_1;             // half axes, angstrom
in vec3 axis_2;
in vec3 axis_3;
in vec4 colour;
flat out vec3 c;
flat out mat3 to_ball;
flat out vec4 tint;
out vec2 position;

void main() {
    c = rotation * (middle - centre);
    mat3 axes = rotation * mat3(axis_1, axis_2, axis_3);
    to_ball = inverse(axes);
    tint = colour;
    vec2 reach = sqrt(axes[0].xy * axes[0].xy + axes[1].xy * axes[1].xy + axes[2].xy * axes[2].xy) + pixel;
    vec2 corner = vec2((gl_VertexID & 1) == 0 ? -1.0 : 1.0, (gl_VertexID & 2) == 0 ? -1.0 : 1.0);
    position = reach * corner;
    gl_Position = vec4((c.xy + position) / half_size, 0.0, 1.0);
}
