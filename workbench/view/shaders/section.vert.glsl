#version 330 core
#include common
uniform vec3 middle;
uniform vec3 right;         // half sides of the square, angstrom
uniform vec3 up;
out vec2 place;             // -1..1
out vec3 v;

void main() {
    place = vec2((gl_VertexID & 1) == 0 ? -1.0 : 1.0, (gl_VertexID & 2) == 0 ? -1.0 : 1.0);
    v = rotation * (middle + place.x * right + place.y * up - centre);
    gl_Position = vec4(v.xy / half_size, 2.0 * depth_of(v.z) - 1.0, 1.0);
}
