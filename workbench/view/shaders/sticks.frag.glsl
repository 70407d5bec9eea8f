#version 330 core
// Seen along z, the surface of a capsule is the envelope of balls whose centres run from a to b. The ball that lies
// highest over a point at u along and w across the projected axis is found in closed form, and with it depth and normal.
uniform float pixel;
uniform float front;        // clipping planes, angstrom from the centre
uniform float back;
uniform float fog_start;    // view depth where fog begins and where it swallows everything
uniform float fog_end;
uniform float front_fade;
uniform vec3 background;
uniform float ambient;
uniform float gloss;
flat in vec3 a;
flat in vec3 b;
flat in float r;
flat in vec4 tint_a;
flat in vec4 tint_b;
in vec2 position;
out vec4 fragment;

const vec3 key = normalize(vec3(-0.42, 0.62, 0.74));
const vec3 fill = normalize(vec3(0.70, -0.25, 0.55));

void main() {
    vec2 axis = b.xy - a.xy;
    float span = max(length(axis), 1e-5);
    vec2 along = axis / span;
    vec2 from_a = position - a.xy;
    float u = dot(from_a, along);
    float w = dot(from_a, vec2(-along.y, along.x));
    float rise = b.z - a.z;

    // Edge: distance to the projected axis, softened over one pixel.
    float outside = u - clamp(u, 0.0, span);
    float distance = length(vec2(outside, w));
    float coverage = clamp((r - distance) / pixel + 0.5, 0.0, 1.0);
    if (coverage <= 0.0) discard;

    float rho2 = max(r * r - w * w, 0.0);
    float lead = rise * sqrt(rho2) / sqrt(span * span + rise * rise);
    float s = clamp((u + lead) / span, 0.0, 1.0);
    vec2 offset = vec2(u - s * span, w);
    float height = sqrt(max(r * r - dot(offset, offset), 0.0));
    float z = a.z + s * rise + height;

    float depth = (front - z) / (front + back);
    if (depth <= 0.0 || depth >= 1.0) discard;
    gl_FragDepth = depth;

    vec3 normal = normalize(vec3(offset.x * along + offset.y * vec2(-along.y, along.x), height) + vec3(0.0, 0.0, 1e-6));
    vec4 tint = s < 0.5 ? tint_a : tint_b;
    float diffuse = 0.5 + 0.5 * dot(normal, key);
    float light = ambient + (1.0 - ambient) * diffuse * diffuse + 0.14 * max(dot(normal, fill), 0.0);
    light *= mix(0.62, 1.0, smoothstep(0.0, 0.75, normal.z));
    vec3 halfway = normalize(key + vec3(0.0, 0.0, 1.0));
    float shine = gloss * pow(max(dot(normal, halfway), 0.0), 28.0);
    vec3 colour = tint.rgb * light + vec3(shine);

    float fog = smoothstep(0.0, 1.0, (fog_start - z) / (fog_start - fog_end));
    fog = 1.0 - (1.0 - fog) * tint.a;
    float entering = clamp((front - z) / front_fade, 0.0, 1.0);
    fragment = vec4(mix(colour, background, fog), coverage * entering);
}
