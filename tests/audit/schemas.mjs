// The forms of `carrel audit` that others define, against the schemas that those publish: SARIF 2.1.0 of OASIS, CycloneDX
// 1.5, and our own in packaging/schemas; by a validator that is none of ours. Schemas and validator come from npm
// (packaging/deps.def); without them nothing is asked.
//   node tests/audit/schemas.mjs [COMPONENTS] --carrel CARREL [--modules DIR]
// COMPONENTS is a folder of real components. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals: [components] } = parseArgs({
    allowPositionals: true, options: { carrel: { type: "string" }, modules: { type: "string" } },
});
const house = resolve(dirname(fileURLToPath(import.meta.url)), "../.."), carrel = resolve(options.carrel);
const modules = resolve(options.modules ?? spawnSync("npm", ["root", "-g"], { encoding: "utf8" }).stdout.trim());
const needed = ["ajv", "ajv-draft-04", "ajv-formats", "@cyclonedx/cyclonedx-library", "@microsoft/jest-sarif"];
const missing = needed.filter(name => !existsSync(join(modules, name)));
if (missing.length) {
    console.log(`not there: ${missing.join(" ")}\n0 passed, 0 failed, 3 skipped`);
    process.exit(0);
}
let passed = 0, failed = 0;
function check(name, why) {
    if (!why) return void passed++;
    failed++;
    console.log(`FAILED ${name}: ${why}`);
}

// --- The schemas -------------------------------------------------------------------------------------------
const require = createRequire(join(modules, "x"));
const json = path => JSON.parse(readFileSync(path, "utf8"));
// Their patterns are of before Unicode mode, and they have keywords of their own.
function validator(Ajv, schema, others = []) {
    const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true });
    require("ajv-formats").default(ajv);
    for (const format of ["iri-reference", "idn-email"]) ajv.addFormat(format, true);
    for (const [id, one] of others) ajv.addSchema(one, id);
    return ajv.compile(schema);
}
const cyclonedx = name => json(join(modules, "@cyclonedx/cyclonedx-library/res/schema", `${name}.SNAPSHOT.schema.json`));
const valid = {
    json: validator(require("ajv/dist/2020").default, json(join(house, "packaging/schemas/carrel-audit-1.json"))),
    sarif: validator(require("ajv-draft-04").default, json(join(modules, "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"))),
    cyclonedx: validator(require("ajv").default, cyclonedx("bom-1.5"),
                         ["jsf-0.82", "spdx"].map(name => [`http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`, cyclonedx(name)])),
};
const compared = validator(require("ajv/dist/2020").default, json(join(house, "packaging/schemas/carrel-compare-1.json")));
const said = of => of.errors?.slice(0, 3).map(e => `${e.instancePath} ${e.message}`).join("; ");

// --- The files ---------------------------------------------------------------------------------------------
const work = mkdtempSync(join(tmpdir(), "carrel-schemas-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const leb = n => n < 0x80 ? [n] : [n & 0x7f | 0x80, ...leb(n >>> 7)];
const sized = body => Buffer.concat([Buffer.from(leb(body.length)), Buffer.from(body)]);
const section = (id, body) => Buffer.concat([Buffer.from([id]), sized(body)]);
// A core module that imports functions of these names, of a module of the same name, and calls the first of them.
function importer(names) {
    const list = names.map(n => Buffer.concat([sized(Buffer.from(n)), sized(Buffer.from(n)), Buffer.from([0, 0])]));
    return Buffer.concat([Buffer.from("\0asm\x01\0\0\0"), section(1, [1, 0x60, 0, 0]), section(2, Buffer.concat([Buffer.from(leb(names.length)), ...list])),
                          section(3, [1, 0]), section(7, Buffer.concat([Buffer.from([1]), sized(Buffer.from("_start")), Buffer.from([0, ...leb(names.length)])])),
                          section(10, [1, 4, 0, 0x10, 0, 0x0b])]);
}
const made = {
    "names.wasm": importer(["x\x1b[31m\r\n\"></script>", "\u202eevil\u2028", "a/b@1", "/@", "@", "/", "", " ", "urn:cdx:1/1", "a#b", "%", "\\", "wasi:io/streams@", "x".repeat(5000)]),
    "many.wasm": importer(Array.from({ length: 100_000 }, (_, i) => `acme:door/lock${i}@0.${i}.0`)),
    "none.wasm": "no component",
    "a name with spaces, %, # and \u00e9.wasm": importer(["a"]),
};
for (const [name, content] of Object.entries(made)) writeFileSync(join(work, name), content);
const local = ["greet.wasm", "proxy.wasm", "bricks.wasm", "world.wit"].map(n => join(house, "tests/data", n));
const real = components && existsSync(components) ? readdirSync(components).filter(n => n.endsWith(".wasm")).map(n => resolve(components, n)) : [];

const sets = { ...Object.fromEntries(Object.keys(made).map(name => [name, [name]])), "tests/data": local, "one file twice": [local[0], local[0]] };
if (real.length) sets["real components"] = real;
for (const [name, files] of Object.entries(sets))
    for (const [form, is_valid] of Object.entries(valid)) {
        const run = spawnSync(carrel, ["audit", `--format=${form}`, ...files], { cwd: work, encoding: "utf8", maxBuffer: 1 << 28 });
        check(`${name} as ${form}: exit code`, [0, 126].includes(run.status) ? "" : `${run.status} ${run.stderr}`);
        const document = JSON.parse(run.stdout);
        check(`${name} as ${form}: valid`, is_valid(document) ? "" : said(is_valid));
        check(`${name} as ${form}: it can be invalid`, is_valid({ ...document, files: 1, runs: 1, components: 1 }) ? "anything is valid" : "");
    }
writeFileSync(join(work, "nothing.yaml"), "version: 1\n");
for (const words of [["--check", "nothing.yaml", "names.wasm", ...local], ["--diff", local[0], local[1]], ["--diff", "names.wasm", "many.wasm"]]) {
    const run = spawnSync(carrel, ["audit", "--json", ...words], { cwd: work, encoding: "utf8", maxBuffer: 1 << 28 });
    check(`${words[0]}: valid`, compared(JSON.parse(run.stdout)) ? "" : said(compared));
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
