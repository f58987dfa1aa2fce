// Audits of real components, compared with those that were looked at. tests/audit/golden.json has, for each
// component by its digest, the digests of the parts of its audit as JSON and of the audit as text, so that a
// difference names the part that changed; a component of another build is left out. What depends on the
// machine (walls, operations, tier) is no part of it. All of them together, read afresh, may take one second.
//   node tests/audit/golden.mjs DIR --carrel CARREL [--renew] [--show FILE]
// --show prints what the digests are made of. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals: [dir] } = parseArgs({
    allowPositionals: true,
    options: { carrel: { type: "string" }, renew: { type: "boolean" }, show: { type: "string" } },
});
const golden = join(dirname(fileURLToPath(import.meta.url)), "golden.json"), carrel = resolve(options.carrel);
const work = mkdtempSync(join(tmpdir(), "carrel-golden-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const files = readdirSync(dir).filter(f => f.endsWith(".wasm")).sort();
const digest = data => createHash("sha256").update(data).digest("hex");
let passed = 0, failed = 0, skipped = 0;
const fail = text => { failed++; console.log(`FAILED ${text}`); };

function audit(...words) {
    const run = spawnSync(carrel, ["audit", ...words], { cwd: dir, encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, LC_ALL: "C" } });
    if (run.status !== 0) fail(`${words.join(" ")}: ${run.status} ${run.stderr}`);
    return run.stdout;
}

// What of an audit does not depend on the machine, in parts.
function parts(file) {
    const text = form => audit("--dir", "/usr::/data:ro", ...form, file.file).split("\n\nWalls on this machine")[0];
    return {
        about: [file.kind, file.size, file.summary, file.worlds, file.runs, file.refusal],
        names: [file.imports, file.exports, file.unknown, file.mismatched, file.requests],
        functions: file.functions.map(f => [f.function, f.capability, f.answer, f.rules]),
        capabilities: file.capabilities.map(c => [c.capability, c.given]),
        system_calls: file.system_calls.map(s => [s.rule, s.system_call, s.only_if]),
        text: text([]).split("\n"),
        verbose: text(["--verbose"]).split("\n"),
    };
}

// The best of a few runs is measured. Each reads all the files again: `unshare` takes the cache of demands away where
// it can, and where it cannot the time is told and not judged. Where others have the processors, a clock on the wall
// tells of them: what counts is the processor time of all its processes together.
audit("--json", ...files);
const words = ["-m", "sh", "-c", 'mount -t tmpfs none /var/cache && "$@" >/dev/null && times', "sh", carrel, "audit", "--json", ...files];
const spent = text => text.trim().split("\n").at(-1).split(" ").map(t => t.match(/(\d+)m([\d.]+)s/)).reduce((sum, [, m, s]) => sum + m * 60_000 + s * 1000, 0);
let took = Infinity, worked = Infinity, judged = false;
for (let i = 0; i < 3; i++) {
    const begin = process.hrtime.bigint();
    const run = spawnSync("unshare", words, { cwd: dir, encoding: "utf8" });
    judged = run.status === 0;
    took = Math.min(took, Number(process.hrtime.bigint() - begin) / 1e6);
    if (judged) worked = Math.min(worked, spent(run.stdout));
}
if (!judged) skipped++;
else if (worked < 1000) passed++;
else fail("the time: more than one second of the processors");
console.log(`${files.length} files audited together in ${took.toFixed(0)} ms, with ${worked.toFixed(0)} ms of processor time`);

const was = JSON.parse(readFileSync(golden)), now = {};
for (const file of JSON.parse(audit("--json", ...files)).files) {
    if (digest(readFileSync(join(dir, file.file))) !== file.sha256) fail(`${file.file}: its digest`);
    const made = parts(file);
    if (options.show === file.file) console.log(JSON.stringify(made, null, 1));
    now[file.sha256] = Object.fromEntries(Object.entries(made).map(([part, of]) => [part, digest(JSON.stringify(of)).slice(0, 16)]));
    for (const part in made) {
        const expected = was[file.sha256]?.[part];
        if (expected === undefined) skipped++;
        else if (expected === now[file.sha256][part]) passed++;
        else fail(`${file.file}: ${part} is not what it was: look at it (--show ${file.file}), and then: make golden`);
    }
}
if (options.renew) writeFileSync(golden, JSON.stringify({ ...was, ...now }, null, 1) + "\n");
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed ? 1 : 0);
