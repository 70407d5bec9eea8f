#version 330 core
#include common
in vec3 vertex;
in vec3 normal;
in vec4 colour;
out vec3 v;
out vec3 n;
out vec4 tint;
out vec3 where;

void main() {
    where = vertex;
    v = rotation * (vertex - centre);
    n = rotation * normal;
    tint = colour;
    gl_Position = vec4(v.xy / half_size, 2.0 * depth_of(v.z) - 1.0, 1.0);
}
