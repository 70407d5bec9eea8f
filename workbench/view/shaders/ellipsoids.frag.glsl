#version 330 core
#include common
flat in vec3 c;
flat in mat3 to_ball;
flat in vec4 tint;
in vec2 position;
out vec4 fragment;

void main() {
    vec3 start = to_ball * vec3(position, 0.0);
    vec3 ray = to_ball * vec3(0.0, 0.0, 1.0);
    float p = dot(start, ray) / dot(ray, ray);
    float q = p * p - (dot(start, start) - 1.0) / dot(ray, ray);
    if (q < 0.0) discard;
    float z = -p + sqrt(q);
    vec3 on_ball = start + z * ray;
    vec3 normal = normalize(transpose(to_ball) * on_ball);
    float depth = depth_of(c.z + z);
    if (depth <= 0.0 || depth >= 1.0) discard;
    gl_FragDepth = depth;
    // The three principal planes are drawn as dark bands, as in crystallographers' figures.
    vec3 plane = abs(on_ball);
    float band = 1.0 - smoothstep(0.035, 0.065, min(plane.x, min(plane.y, plane.z)));
    vec3 colour = lit(tint.rgb, normal) * (1.0 - 0.55 * band);
    float fog = 1.0 - (1.0 - fog_at(c.z + z)) * tint.a;
    fragment = vec4(mix(colour, background, fog), entering_at(c.z + z));
}
