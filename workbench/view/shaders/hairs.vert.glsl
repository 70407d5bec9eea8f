#version 330 core
// Lines of one pixel as the driver draws them: for quick pictures, where the quads of lines.vert.glsl cost too much.
#include common
uniform vec3 sphere;
uniform float reach;
uniform vec4 colour;
in vec3 vertex;
out vec3 paint;

void main() {
    vec3 v = rotation * (vertex - centre);
    gl_Position = vec4(v.xy / half_size, 2.0 * depth_of(v.z) - 1.0, 1.0);
    float rim = 1.0 - smoothstep(reach - 1.2, reach + 0.1, length(vertex - sphere));
    // Without blending a line that fades in front of the model would be painted over it in the background's colour:
    // where it enters and at the rim it is cut off half-way instead.
    gl_ClipDistance[0] = entering_at(v.z) * rim - 0.5;
    float strength = colour.a * (1.0 - fog_at(v.z));
    paint = mix(background, colour.rgb, strength);
}
