// What every shader of the scene needs: the camera, the fog, the light.
uniform mat3 rotation;      // model -> view
uniform vec3 centre;
uniform vec2 half_size;     // angstrom from the centre to the right and upper edge
uniform float pixel;        // angstrom
uniform float near;         // view depth of the clipping planes, angstrom
uniform float far;
uniform float fog_start;    // view depth where fog begins and where it swallows everything
uniform float fog_end;
uniform float front_fade;
uniform vec3 background;
uniform float ambient;
uniform float gloss;

const vec3 key = normalize(vec3(-0.42, 0.62, 0.74));
const vec3 fill = normalize(vec3(0.70, -0.25, 0.55));

float depth_of(float z) { return (near - z) / (near - far); }

float fog_at(float z) { return smoothstep(0.0, 1.0, (fog_start - z) / (fog_start - fog_end)); }

float entering_at(float z) { return clamp((near - z) / front_fade, 0.0, 1.0); }

vec3 lit(vec3 tint, vec3 normal) {
    float diffuse = 0.5 + 0.5 * dot(normal, key);
    float light = ambient + (1.0 - ambient) * diffuse * diffuse + 0.14 * max(dot(normal, fill), 0.0);
    light *= mix(0.62, 1.0, smoothstep(0.0, 0.75, normal.z));
    vec3 halfway = normalize(key + vec3(0.0, 0.0, 1.0));
    return tint * light + vec3(gloss * pow(max(dot(normal, halfway), 0.0), 28.0));
}
