// What of JSON Schema the schemas in packaging/schemas use, and nothing else: a keyword that is not known
// here is an error, so that no schema says what nobody checks.
const KNOWN = new Set(["$schema", "$id", "$defs", "$ref", "title", "description", "type", "const", "enum", "required",
                       "properties", "additionalProperties", "items", "pattern", "minimum", "anyOf"]);

function type_of(value) {
    if (value === null) return "null";
    if (Array.isArray(value)) return "array";
    return Number.isInteger(value) ? "integer" : typeof value;
}

// The ways in which `value` breaks `schema`, as texts.
export function violations(schema, value, root = schema, path = "$") {
    const found = Object.keys(schema).filter(k => !KNOWN.has(k)).map(k => `${path}: the schema has '${k}'`);
    const says = (right, what) => { if (!right) found.push(`${path}: ${what}`); };
    if (schema.$ref) {
        const to = schema.$ref.replace("#/", "").split("/").reduce((at, key) => at[key], root);
        found.push(...violations(to, value, root, path));
    }
    if (schema.anyOf) says(schema.anyOf.some(one => violations(one, value, root, path).length === 0), "is none of several things");
    const type = type_of(value);
    if (schema.type) says([].concat(schema.type).some(t => t === type || (t === "number" && type === "integer")), `is ${type}`);
    if ("const" in schema) says(value === schema.const, `is not ${schema.const}`);
    if (schema.enum) says(schema.enum.includes(value), `'${value}' is none of the words`);
    if (schema.pattern && type === "string") says(new RegExp(schema.pattern, "u").test(value), `'${value}' does not match`);
    if ("minimum" in schema && typeof value === "number") says(value >= schema.minimum, "is too small");
    if (type === "array" && schema.items)
        value.forEach((one, i) => found.push(...violations(schema.items, one, root, `${path}[${i}]`)));
    if (type === "object") {
        for (const key of schema.required ?? []) says(key in value, `lacks '${key}'`);
        for (const [key, one] of Object.entries(value)) {
            const of = schema.properties?.[key];
            if (of) found.push(...violations(of, one, root, `${path}.${key}`));
            else says(schema.additionalProperties !== false, `has '${key}'`);
        }
    }
    return found;
}
