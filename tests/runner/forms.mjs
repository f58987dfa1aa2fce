// The forms of `carrel audit`: each is parsed, held against its schema or structure, and where the program
// that it is for is on PATH, given to that.
//   node tests/runner/forms.mjs CARREL ENGINE     ENGINE obeys scripts (tests/runner/engine.c)
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { violations } from "./schema.mjs";

const house = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const [carrel, engine] = process.argv.slice(2, 4).map(p => resolve(p));
const work = mkdtempSync(join(tmpdir(), "carrel-forms-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
process.chdir(work);

let passed = 0, failed = 0, skipped = 0;
function check(name, why) {
    if (!why || why.length === 0) return void passed++;
    failed++;
    console.log(`FAILED ${name}: ${[].concat(why).slice(0, 5).join("; ")}`);
}
const on_path = p => spawnSync("sh", ["-c", `command -v ${p}`]).status === 0;

const EVIL = 'x\\e[31m\\e]0;t\\e"</script><script>alert(1)</script>&lt;\u202eevil';
const script = (name, ...lines) => writeFileSync(name, ["is command", "is component", ...lines, ""].join("\n"));
script("plain");
script("files", "reach get_stdout", "reach descriptor_open_at", "reach descriptor_unlink_file_at", "import get_random_u64",
       "name import wasi:cli/stdout@0.2.3", "name import wasi:filesystem/types@0.2.3");
script("evil", "reach get_stdout", `name unknown acme:door/lock#${EVIL}`, `name import ${EVIL}`, `name export ${EVIL}`,
       `name mismatch ${EVIL}`, `name request ${EVIL}`);

function audit(form, ...rest) {
    const run = spawnSync(carrel, ["audit", "--engine", engine, `--format=${form}`, ...rest],
                          { encoding: "utf8", maxBuffer: 1 << 26 });
    check(`${form}: exit code`, run.status === 0 ? "" : `${run.status} ${run.stderr}`);
    check(`${form}: nothing raw`, /[\0-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/.test(run.stdout) ? "a control character" : "");
    return run.stdout;
}
const all = ["plain", "files", "evil"];

// --- Text ---------------------------------------------------------------------------------------------
const rows = [...readFileSync(join(house, "policies/isolation.def"), "utf8").matchAll(/^(?:ISOLATION|TIER)\(\w+, +"(\w+)",[^]*?"\)$/gm)];
const words = t => t.replace(/\s+/g, " ");
for (const form of [[], ["--verbose"]]) {
    const said = words(audit("text", ...form, ...all));
    check("text: what is not held, in each mode and tier", rows.filter(r => !said.includes(r[0].match(/"([^"]*)"\)$/)[1])).map(r => r[1]));
    check("text: and only once", said.split("share an address space").length === 2 ? "" : "more often");
}
check("text: six modes and tiers", rows.length === 6 ? "" : `${rows.length}`);

// --- JSON ---------------------------------------------------------------------------------------------
const schema = JSON.parse(readFileSync(join(house, "packaging/schemas/carrel-audit-1.json")));
const document = JSON.parse(audit("json", ...all));
check("json: its schema", violations(schema, document));
check("json: the schema refuses", violations(schema, { ...document, more: 1 }).length ? "" : "an unknown member passed");
check("json: --json is the same", spawnSync(carrel, ["audit", "--engine", engine, "--json", ...all], { encoding: "utf8" }).stdout ===
      audit("json", ...all) ? "" : "they differ");
check("json: what is dead", document.files[1].functions.some(f => f.answer === "never called") ? "" : "is not there");
check("json: worlds", document.files[1].worlds.includes("wasi:cli/command") && !document.files[2].worlds.length ? "" : "are wrong");

// --- The comparisons ------------------------------------------------------------------------------------
const comparison = JSON.parse(readFileSync(join(house, "packaging/schemas/carrel-compare-1.json")));
writeFileSync("nothing.yaml", "version: 1\n");
const compare = (...words) => {
    const run = spawnSync(carrel, ["audit", "--engine", engine, "--json", ...words], { encoding: "utf8" });
    check(`compare ${words[0]}: exit code`, run.status === 3 ? "" : `${run.status} ${run.stderr}`);
    check(`compare ${words[0]}: nothing raw`, /[\0-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/.test(run.stdout) ? "a control character" : "");
    return JSON.parse(run.stdout);
};
for (const words of [["--check", "nothing.yaml", ...all], ["--diff", "plain", "evil"], ["--diff", "evil", "files"]]) {
    const made = compare(...words);
    check(`compare ${words[0]}: its schema`, violations(comparison, made));
    check(`compare ${words[0]}: it exceeds`, made.exceeds ? "" : "no");
}

// --- SARIF 2.1.0: what its schema demands of what is here ------------------------------------------------
const sarif = JSON.parse(audit("sarif", ...all));
check("sarif: structure", [
    sarif.version === "2.1.0" || "version",
    sarif.runs.length === 1 || "runs",
    ...sarif.runs.flatMap(run => [
        run.tool.driver.name === "carrel" || "driver",
        new Set(run.tool.driver.rules.map(r => r.id)).size === run.tool.driver.rules.length || "rules twice",
        run.artifacts.length === 3 || "artifacts",
        ...run.artifacts.map(a => /^[0-9a-f]{64}$/.test(a.hashes["sha-256"]) || "hash"),
        ...run.results.map(r => run.tool.driver.rules[r.ruleIndex].id === r.ruleId || `rule index of ${r.ruleId}`),
        ...run.results.map(r => ["note", "warning", "error"].includes(r.level) || "level"),
        ...run.results.map(r => r.message.text.length > 0 || "message"),
        ...run.results.map(r => /^[A-Za-z0-9._~\/%:-]+$/.test(r.locations[0].physicalLocation.artifactLocation.uri) || "uri"),
    ]),
].filter(x => x !== true));
const of_rule = (id, about) => sarif.runs[0].results.filter(r => r.ruleId === id && JSON.stringify(r).includes(about));
check("sarif: what is never called, asked for, refused", ["import.dead", "request", "refused"].filter(id => !of_rule(id, "").length));
check("sarif: results are told apart", new Set(sarif.runs[0].results.map(r => JSON.stringify([r.ruleId, r.locations, r.partialFingerprints]))).size === sarif.runs[0].results.length ? "" : "two are the same");
writeFileSync("none", "no component");
const spoilt = spawnSync(carrel, ["audit", "--format=sarif", "none", join(house, "tests/data/greet.wasm")], { encoding: "utf8" });
const told = JSON.parse(spoilt.stdout).runs[0];
check("sarif: a file that is none", spoilt.status === 126 && !told.invocations[0].executionSuccessful && sarif.runs[0].invocations[0].executionSuccessful &&
      told.results.filter(r => r.ruleId === "unread" && r.level === "error").length === 1 ? "" : spoilt.stdout);
check("sarif: results", sarif.runs[0].results.some(r => r.ruleId === "dir.mutate" && r.level === "warning") ? "" : "dir.mutate is missing");

// --- CycloneDX 1.5 ----------------------------------------------------------------------------------------
const bom = JSON.parse(audit("cyclonedx", ...all, "plain"));
const refs = bom.components.map(c => c["bom-ref"]);
check("cyclonedx: structure", [
    bom.bomFormat === "CycloneDX" && bom.specVersion === "1.5" && bom.version === 1 || "head",
    new Set(refs).size === refs.length || "a reference twice",
    ...bom.components.map(c => ["application", "library"].includes(c.type) && c.name.length > 0 || "component"),
    ...bom.components.flatMap(c => c.hashes ?? []).map(h => h.alg === "SHA-256" && /^[0-9a-f]{64}$/.test(h.content) || "hash"),
    ...bom.dependencies.flatMap(d => [d.ref, ...d.dependsOn]).map(r => refs.includes(r) || `dangling ${r}`),
    ...bom.dependencies.map(d => new Set(d.dependsOn).size === d.dependsOn.length || "depends twice"),
].filter(x => x !== true));

// --- HTML: one page, one script, whose hash its policy names --------------------------------------------------
const html = audit("html", ...all);
const scripts = [...html.matchAll(/<script>([^]*?)<\/script>/g)].map(m => m[1]);
const hash = scripts.length === 1 ? createHash("sha256").update(scripts[0]).digest("base64") : "";
check("html: one script, its own", html.includes(`script-src 'sha256-${hash}'`) ? "" : `${scripts.length} scripts, sha256-${hash}`);
check("html: no name is markup", /<script>alert|onerror|javascript:/.test(html) ? "alive" : "");
check("html: self-contained", /(src|href)="(?!#file-)|url\(|@import|https?:/.test(html.replace(/wasi:http[a-z:/-]*/g, "")) ? "something is fetched" : "");
check("html: every element is closed", ["section", "table", "details", "svg", "g", "tr", "code"].filter(
    e => html.split(`<${e}>`).length + html.split(`<${e} `).length - 2 !== html.split(`</${e}>`).length - 1));

// --- Programs that the other forms are for ---------------------------------------------------------------------
const dot = audit("dot", ...all);
if (on_path("dot")) {
    const drawn = spawnSync("dot", ["-Tsvg"], { input: dot, encoding: "utf8" });
    check("dot: graphviz draws it", drawn.status === 0 && drawn.stdout.includes("descriptor 1") ? "" : drawn.stderr);
} else skipped++;

mkdirSync("units/x.service.d", { recursive: true });
writeFileSync("units/x.service", "[Service]\nExecStart=/bin/true\n");
writeFileSync("units/x.service.d/carrel.conf", audit("systemd", "--dir", "/usr::/u:ro", "--timeout", "3s", "files"));
if (on_path("systemd-analyze")) {
    const verified = spawnSync("systemd-analyze", ["verify", "./units/x.service"], { encoding: "utf8" });
    check("systemd: verified", verified.status === 0 && !/x\.service\.d/.test(verified.stderr) ? "" : verified.stderr);
} else skipped++;

const profile = JSON.parse(audit("oci-seccomp", "files"));
check("oci-seccomp: denies by default", profile.defaultAction === "SCMP_ACT_ERRNO" ? "" : profile.defaultAction);
const two = spawnSync(carrel, ["audit", "--engine", engine, "--format=oci-seccomp", "plain", "files"], { encoding: "utf8" });
check("oci-seccomp: of one file", two.status === 125 && two.stderr.includes("about one file") ? "" : two.stderr);

// A static program that says hello, ends with 7, and tries what the profile does not have.
const compiler = ["musl-gcc", "gcc"].find(on_path);
writeFileSync("hello.c", `#include <errno.h>
#include <unistd.h>
#include <sys/socket.h>
int main(void) { int denied = socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM;
  return write(1, denied ? "hello, no socket\\n" : "hello, a socket\\n", 17) > 0 ? 7 : 1; }
`);
const built = compiler && spawnSync(compiler, ["-static", "-o", "hello", "hello.c"]).status === 0;
for (const runtime of ["runc", "crun"]) {
    if (!built || !on_path(runtime) || process.getuid() !== 0) { skipped++; continue; }
    const bundle = join(work, runtime);
    mkdirSync(join(bundle, "rootfs/proc"), { recursive: true });
    mkdirSync(join(bundle, "rootfs/dev"));
    cpSync("hello", join(bundle, "rootfs/hello"));
    chmodSync(join(bundle, "rootfs/hello"), 0o755);
    writeFileSync(join(bundle, "config.json"), JSON.stringify({
        ociVersion: "1.0.2",
        process: { user: { uid: 0, gid: 0 }, args: ["/hello"], cwd: "/", noNewPrivileges: true, capabilities: {} },
        root: { path: "rootfs", readonly: true },
        mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
        linux: { namespaces: ["pid", "mount", "ipc", "uts", "network", "cgroup"].map(type => ({ type })), seccomp: profile },
    }));
    // In a mount namespace of its own; crun wants to see one hierarchy of control groups there.
    const command = runtime === "crun"
        ? `mount -t cgroup2 none /sys/fs/cgroup; exec crun --cgroup-manager=disabled --root ${bundle}/state run forms-${process.pid}`
        : `exec runc --root ${bundle}/state run forms-${process.pid}`;
    const run = spawnSync("unshare", ["-m", "--propagation", "private", "timeout", "20", "sh", "-c", command], { cwd: bundle, encoding: "utf8" });
    check(`oci-seccomp: under ${runtime}`, run.status === 7 && run.stdout.includes("no socket") ? "" : `${run.status} ${run.stdout}${run.stderr}`);
}

// --- Words of the command line ---------------------------------------------------------------------------------
const wrong = spawnSync(carrel, ["audit", "--format=sraif", "plain"], { encoding: "utf8" });
check("a form that is none", wrong.status === 125 && wrong.stderr.includes("known are text, json, sarif, html, dot, oci-seccomp, systemd, cyclonedx\n") ? "" : wrong.stderr);
const colours = spawnSync("script", ["-qec", `${carrel} audit --engine ${engine} files`, "/dev/null"], { encoding: "utf8", env: { ...process.env, TERM: "xterm" } });
const plain = spawnSync("script", ["-qec", `NO_COLOR=1 ${carrel} audit --engine ${engine} files`, "/dev/null"], { encoding: "utf8", env: { ...process.env, TERM: "xterm" } });
check("coloured on a terminal", colours.stdout.includes("\x1b[1m") ? "" : "no colour");
check("NO_COLOR is heeded", plain.stdout.includes("\x1b[") ? "colour" : "");

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed ? 1 : 0);
