#version 330 core
#include common
uniform vec4 paint;         // colour and opacity of a surface; opacity 0: the vertices have colours of their own
uniform vec3 sphere;
uniform float reach;
uniform float hatched;      // 1: stripes across the picture, which tell a negative surface without colour
uniform float depths_only;  // 1: only the depths are wanted
in vec3 v;
in vec3 n;
in vec4 tint;
in vec3 where;
out vec4 fragment;

void main() {
    vec3 normal = normalize(n);
    if (normal.z < 0.0) normal = -normal;
    float fog = fog_at(v.z);
    if (paint.a > 0.0) {
        vec3 colour = lit(paint.rgb, normal);
        // The mesh ends half an angstrom inside the sphere, in steps: it has faded out by then.
        float rim = reach > 0.0 ? 1.0 - smoothstep(reach - 2.2, reach - 0.7, length(where - sphere)) : 1.0;
        float fade = rim * entering_at(v.z);
        // What has half faded out must not hide what lies behind it.
        if (depths_only > 0.0 && fade < 0.5) discard;
        // A thin shell is denser where it is seen edge on.
        float opacity = mix(min(0.9, paint.a * 2.0), paint.a, smoothstep(0.0, 0.8, normal.z));
        if (hatched > 0.0 && fract((gl_FragCoord.x + gl_FragCoord.y) / 8.0) < 0.4) opacity *= 0.35;
        fragment = vec4(colour, opacity * (1.0 - fog) * fade);
        return;
    }
    fog = 1.0 - (1.0 - fog) * tint.a;
    fragment = vec4(mix(lit(tint.rgb, normal), background, fog), entering_at(v.z));
}
