// Audits of files that were made to hurt: names that would be escape sequences, markup or lines of their own,
// very many imports, types that are deep or refer to themselves, policies of their own. Each is audited in every
// form, or refused with one line, with a few seconds of processor time; no byte of a name gets through raw.
//   node tests/audit/hostile.mjs --carrel CARREL
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const carrel = resolve(process.argv[process.argv.indexOf("--carrel") + 1]);
const work = mkdtempSync(join(tmpdir(), "carrel-hostile-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
process.chdir(work);
let passed = 0, failed = 0;
function check(name, why) {
    if (!why) return void passed++;
    failed++;
    console.log(`FAILED ${name}: ${why}`);
}

// --- Binaries (core specification §5, component model Binary.md) -------------------------------------------
const leb = n => n < 0x80 ? [n] : [n & 0x7f | 0x80, ...leb(n >>> 7)];
const signed = n => n < 0x40 ? [n] : [n & 0x7f | 0x80, ...signed(n >>> 7)];
const bytes = (...parts) => Buffer.concat(parts.map(p => Buffer.from(p)));
const sized = body => bytes(leb(body.length), body);
const section = (id, body) => bytes([id], sized(body));
const many = (count, one) => bytes(leb(count), ...Array.from({ length: count }, (_, i) => one(i)));
const core = (...sections) => bytes("\0asm\x01\0\0\0", ...sections);
const component = (...sections) => bytes("\0asm\x0d\0\x01\0", ...sections);
const nothing = section(1, [1, 0x60, 0, 0]); // a type without parameters and results
const imports = (count, module, name) => section(2, many(count, i => bytes(sized(Buffer.from(module(i))), sized(Buffer.from(name(i))), [0, 0])));

// A _start that calls so many functions.
function calls(count) {
    const body = bytes([0], ...Array.from({ length: count }, (_, i) => [0x10, ...leb(i)]), [0x0b]);
    return [section(3, [1, 0]), section(7, bytes([1], sized(Buffer.from("_start")), [0], leb(count))), section(10, bytes([1], sized(body)))];
}
const EVIL = 'x\x1b[31m\x1b]0;t\x07\r\n"></script><script>alert(1)</script><img src=x onerror=alert(2)>&lt;\u202eevil\u2028`$(id)`';
const files = {
    "names.wasm": core(nothing, imports(50, i => EVIL + i, () => EVIL)),
    "many.wasm": core(nothing, imports(100_000, i => `m${i}`, i => EVIL + i), ...calls(100_000)),
    "uncalled.wasm": core(nothing, imports(100_000, i => `m${i}`, i => EVIL + i)),
    "wasi.wasm": core(section(1, [1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f]), imports(100_000, () => "wasi_snapshot_preview1", () => "fd_write")),
    "functions.wasm": component(section(7, [1, 0x40, 0, 1, 0]), section(10, many(100_000, i => bytes([0], sized(Buffer.from(`f-a${i}`)), [1, 0])))),
    "few.wasm": component(section(7, [1, 0x40, 0, 1, 0]), section(10, many(20_000, i => bytes([0], sized(Buffer.from(`f-a${i}`)), [1, 0])))),
    "deep.wasm": component(section(7, many(100_000, i => i ? bytes([0x70], signed(i - 1)) : [0x70, 0x7f]))),
    "cyclic.wasm": component(section(7, [1, 0x70, 0])),
    "forward.wasm": component(section(7, [2, 0x70, 1, 0x70, 0])),
    "wide.wasm": component(section(7, [1, 0x6f, ...leb(200_000), ...Array(200_000).fill(0x7f)])),
    "request.wasm": core(section(0, bytes(sized(Buffer.from("carrel:policy")), Buffer.from(`allow:\n  env: [SECRET=1]\n\n  ${EVIL}\n`))), nothing),
    "requests.wasm": component(section(0, bytes(sized(Buffer.from("carrel:policy")), Buffer.from("x\n".repeat(500_000))))),
    "long-request.wasm": core(section(0, bytes(sized(Buffer.from("carrel:policy")), Buffer.alloc(1 << 20, "\u202e")))),
    "no-request.wasm": core(section(0, bytes([...leb(200)], Buffer.from("carrel:policy")))),
    "evil.wasm": component(section(7, [1, 0x40, 0, 1, 0]), section(10, bytes([1, 0], sized(Buffer.from(EVIL)), [1, 0]))),
};

const lines = (count, one) => Array.from({ length: count }, (_, i) => one(i)).join("\n");
Object.assign(files, {
    "imports.wit": `world w { ${lines(100_000, i => `import f${i}: func();`)} }`,
    "wasi.wit": `world w { ${lines(100_000, () => "import wasi:http/types@0.2.0; export wasi:http/incoming-handler@0.2.0;")} }`,
    "includes.wit": lines(50_000, i => `world w${i} { include w${(i + 1) % 50_000}; include w${i * 7 % 50_000}; }`),
    "uses.wit": lines(50_000, i => `interface i${i} { use i${(i + 1) % 50_000}.{t}; }`) + "world w { import i0; }",
    "aliases.wit": `use b as a; use c as b; use a as c; world w { import a; include b; export c; }`,
    "nested.wit": `interface i { type t = ${"list<".repeat(100_000)}`,
    "comments.wit": `world w {} ${"/*".repeat(500_000)}`,
    "evil.wit": `package a:b; world w { import x${EVIL}: func(); }`,
});

const raw = text => /[\0-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(text);
for (const [name, content] of Object.entries(files)) {
    writeFileSync(name, content);
    for (const form of ["text", "json", "sarif", "html", "dot", "oci-seccomp", "systemd", "cyclonedx"]) {
        const run = spawnSync("sh", ["-c", 'code=0; "$@" || code=$?; times >&3; exit $code', "sh", carrel, "audit", `--format=${form}`, name],
                              { encoding: "utf8", maxBuffer: 1 << 28, timeout: 60_000, stdio: ["ignore", "pipe", "pipe", "pipe"] });
        const it = `${name} as ${form}`;
        check(`${it}: an exit code`, [0, 126].includes(run.status) ? "" : `${run.status} ${run.signal} ${run.stderr}`);
        check(`${it}: one line of error`, run.status === 0 ? run.stderr : run.stderr.split("\n").length === 2 ? "" : run.stderr);
        const spent = run.output[3].trim().split("\n").at(-1).split(" ").map(t => t.match(/(\d+)m([\d.]+)s/)).reduce((sum, [, m, s]) => sum + m * 60 + Number(s), 0);
        check(`${it}: time`, spent < 5 ? "" : `${spent} s`);
        check(`${it}: nothing raw`, raw(run.stdout) || raw(run.stderr.trimEnd()) ? "a control character" : "");
        check(`${it}: bounded`, run.stdout.length < 4 << 20 ? "" : `${run.stdout.length} bytes`);
        if (form === "html")
            check(`${it}: not alive`, /<script>alert|<img|<\/script><script/.test(run.stdout) ? "markup" : "");
        if (["json", "sarif", "cyclonedx"].includes(form) && run.stdout)
            try { JSON.parse(run.stdout); passed++; } catch (e) { check(it, e.message); }
    }
}
const text = form => spawnSync(carrel, ["audit", ...form, "many.wasm"], { encoding: "utf8" }).stdout;
check("what is not known is counted", /100[ ,]?000|99[ ,]?9\d\d/.test(text([])) ? "" : text([]).slice(0, 400));
check("and in JSON", JSON.parse(text(["--json"])).files[0].unknown_total === 100_000 ? "" : "another number");
const asked = JSON.parse(spawnSync(carrel, ["audit", "--json", "request.wasm"], { encoding: "utf8" }).stdout).files[0];
check("what its publisher asks for", asked.requests.slice(0, 2).join("|") === "allow:|  env: [SECRET=1]" && asked.requests.length >= 3 ? "" : JSON.stringify(asked.requests));
check("gets nothing by asking", asked.capabilities.length === 0 && !JSON.stringify(asked.operations).includes("SECRET") ? "" : JSON.stringify(asked.operations));
const deep = spawnSync(carrel, ["audit", "few.wasm"], { encoding: "utf8" });
check("20,000 functions", deep.status === 0 ? "" : deep.stderr);
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
