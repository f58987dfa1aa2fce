// What of JSON Schema the schemas in packaging/schemas use, and those of SARIF and CycloneDX, and nothing else: a keyword that is not known
// here is an error, so that no schema says what nobody checks.
const KNOWN = new Set(["$schema", "$id", "$defs", "$ref", "title", "description", "type", "const", "enum", "required",
                       "properties", "additionalProperties", "items", "pattern", "minimum",
                       "maximum", "minItems", "maxItems", "minLength", "maxLength", "uniqueItems", "anyOf", "oneOf", "allOf",
                       "id", "definitions", "default", "examples", "format", "additionalItems", "$comment", "meta:enum"]);

function type_of(value) {
    if (value === null) return "null";
    if (Array.isArray(value)) return "array";
    return Number.isInteger(value) ? "integer" : typeof value;
}

// What `$ref` means in `root`: a place in it, or in the schema that `others` has by its file's name. [schema, root]
function follow(ref, root, others) {
    const [file, place = ""] = ref.split("#");
    const of = file && file !== (root.$id ?? root.id)?.replace(/#$/, "") ? others[file.split("/").pop()] : root;
    return [place.split("/").filter(Boolean).reduce((at, key) => at[key], of), of];
}

// The ways in which `value` breaks `schema`, as texts.
export function violations(schema, value, root = schema, path = "$", others = {}) {
    const found = Object.keys(schema).filter(k => !KNOWN.has(k)).map(k => `${path}: the schema has '${k}'`);
    const says = (right, what) => { if (!right) found.push(`${path}: ${what}`); };
    const holds = one => violations(one, value, root, path, others).length === 0;
    if (schema.$ref) {
        const [to, in_root] = follow(schema.$ref, root, others);
        found.push(...violations(to, value, in_root, path, others));
    }
    if (schema.anyOf) says(schema.anyOf.some(holds), "is none of several things");
    if (schema.oneOf) says(schema.oneOf.filter(holds).length === 1, "is not one of several things");
    for (const one of schema.allOf ?? []) found.push(...violations(one, value, root, path, others));
    const type = type_of(value);
    if (schema.type) says([].concat(schema.type).some(t => t === type || (t === "number" && type === "integer")), `is ${type}`);
    if ("const" in schema) says(value === schema.const, `is not ${schema.const}`);
    if (schema.enum) says(schema.enum.includes(value), `'${value}' is none of the words`);
    if (schema.pattern && type === "string") says(new RegExp(schema.pattern, "u").test(value), `'${value}' does not match`);
    if (type === "string") says(value.length >= (schema.minLength ?? 0) && value.length <= (schema.maxLength ?? Infinity), "has another length");
    if (type === "array") {
        says(value.length >= (schema.minItems ?? 0) && value.length <= (schema.maxItems ?? Infinity), "has another length");
        says(!schema.uniqueItems || new Set(value.map(one => JSON.stringify(one))).size === value.length, "has something twice");
    }
    if ("maximum" in schema && typeof value === "number") says(value <= schema.maximum, "is too large");
    if ("minimum" in schema && typeof value === "number") says(value >= schema.minimum, "is too small");
    if (type === "array" && schema.items)
        value.forEach((one, i) => found.push(...violations(schema.items, one, root, `${path}[${i}]`, others)));
    if (type === "object") {
        for (const key of schema.required ?? []) says(key in value, `lacks '${key}'`);
        for (const [key, one] of Object.entries(value)) {
            const of = schema.properties?.[key];
            if (of) found.push(...violations(of, one, root, `${path}.${key}`, others));
            else if (typeof schema.additionalProperties === "object")
                found.push(...violations(schema.additionalProperties, one, root, `${path}.${key}`, others));
            else says(schema.additionalProperties !== false, `has '${key}'`);
        }
    }
    return found;
}
