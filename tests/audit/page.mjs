// The HTML of `carrel audit` in a real browser, as light and dark, narrow and wide: nothing sticks out, every text
// can be read, the search finds and forgets, paper shows what is folded, and no name of a component is alive.
//   node tests/audit/page.mjs CARREL ENGINE [--shots DIR]     ENGINE obeys scripts (tests/runner/engine.c)
// Speaks the DevTools protocol over a pipe with Chromium, if there is one. --shots keeps what it saw.
// The last line is `N passed, N failed, N skipped`.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { shots: { type: "string" } } });
const [carrel, engine] = positionals.map(p => resolve(p)), shots = options.shots && resolve(options.shots);
const data = resolve(dirname(fileURLToPath(import.meta.url)), "../data");
const work = mkdtempSync(join(tmpdir(), "carrel-page-"));
process.chdir(work);
if (shots) mkdirSync(shots, { recursive: true });
let passed = 0, failed = 0;
function check(name, why) {
    if (!why || why.length === 0) return void passed++;
    failed++;
    console.log(`FAILED ${name}: ${[].concat(why).slice(0, 5).join("; ")}`);
}

// --- The browser ---------------------------------------------------------------------------------------
const program = ["chromium", "chromium-headless-shell", "google-chrome"].find(p => spawnSync("sh", ["-c", `command -v ${p}`]).status === 0);
if (!program) {
    console.log("0 passed, 0 failed, 1 skipped");
    process.exit(0);
}
const browser = spawn(program, ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                                "--hide-scrollbars", "--remote-debugging-pipe", `--user-data-dir=${work}/profile`, "about:blank"],
                      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], env: { ...process.env, HOME: work } });
const ended = new Promise(done => browser.on("exit", done));
process.on("exit", () => {
    if (browser.exitCode === null) browser.kill("SIGKILL");
    rmSync(work, { recursive: true, force: true, maxRetries: 10 });
});
const waiting = new Map(), heard = [];
let rest = Buffer.alloc(0), last = 0, session;
browser.stdio[4].on("data", piece => {
    rest = Buffer.concat([rest, piece]);
    for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) {
        const message = JSON.parse(rest.subarray(0, end));
        if (!message.id) heard.push(message);
        else waiting.get(message.id)(message);
        if (message.method === "Page.loadEventFired") loaded?.();
    }
});
let loaded;
const send = (method, params = {}, sessionId = session) => new Promise((done, fail) => {
    waiting.set(++last, m => m.error ? fail(new Error(`${method}: ${m.error.message}`)) : done(m.result));
    browser.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId }) + "\0");
});
async function open(file) {
    const done = new Promise(resolve => loaded = resolve);
    await send("Page.navigate", { url: `file://${join(work, file)}` });
    await done;
}
// The value of an expression in the page.
async function value(expression) {
    const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
}
async function look(width, scheme, media = "screen") {
    await send("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
    await send("Emulation.setEmulatedMedia", { media, features: [{ name: "prefers-color-scheme", value: scheme }] });
}
async function keep(name) {
    if (!shots) return;
    const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(join(shots, `${name}.png`), Buffer.from(data, "base64"));
}

// --- What is asked of a page ---------------------------------------------------------------------------------
// What sticks out of the window, apart from what may be scrolled within a frame of its own.
const OVERFLOW = `(() => {
    const page = document.documentElement, out = [];
    if (page.scrollWidth > page.clientWidth) out.push("the page is " + page.scrollWidth + " wide, of " + page.clientWidth);
    for (const e of document.querySelectorAll("body *"))
        if (!e.closest(".wide") && e.getClientRects().length && e.getBoundingClientRect().right > page.clientWidth + 0.5)
            out.push(e.tagName + ": " + e.textContent.slice(0, 40));
    return out;
})()`;
// Texts with less than 4.5 of contrast with what is behind them (WCAG 2, 1.4.3).
const CONTRAST = `(() => {
    const rgb = c => (c.match(/[\\d.]+/g) ?? []).map(Number);
    const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = e => {
        const box = e.closest("g")?.querySelector("rect");
        if (e.closest("svg") && box) return rgb(getComputedStyle(box).fill);
        for (let at = e; at; at = at.parentElement) {
            const c = rgb(getComputedStyle(at).backgroundColor);
            if (c.length === 3 || c[3] > 0) return c;
        }
        return [255, 255, 255];
    };
    const out = [], seen = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let t; (t = texts.nextNode());) {
        const e = t.parentElement;
        if (!t.data.trim() || ["SCRIPT", "STYLE", "title"].includes(e.tagName) || !e.getClientRects().length) continue;
        const style = getComputedStyle(e), ink = rgb(e.closest("svg") ? style.fill : style.color), ground = behind(e);
        const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
        const what = e.tagName + "." + e.className + " " + ink + " on " + ground;
        if (ratio < 4.5 && !seen.has(what)) out.push(what + ": " + ratio.toFixed(2));
        seen.add(what);
    }
    return out;
})()`;
const BOXES = `[...document.querySelectorAll("svg g")].filter(g => g.getClientRects().length &&
    g.querySelector("text").getBBox().width > g.querySelector("rect").getBBox().width - 8).map(g => g.textContent)`;
const GROUND = `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 765`;

function write(name, ...words) {
    const run = spawnSync(carrel, ["audit", "--format=html", ...words], { encoding: "utf8", maxBuffer: 1 << 26 });
    check(`${name}: written`, [0, 126].includes(run.status) ? "" : `${run.status} ${run.stderr}`);
    writeFileSync(name, run.stdout);
}

// --- The pages ---------------------------------------------------------------------------------------------
const EVIL = 'x\\e[31m"</script><script>alert(1)</script><img src=x onerror=alert(2)>&lt;' + "long".repeat(10);
const script = (name, ...lines) => writeFileSync(name, ["is command", "is component", ...lines, ""].join("\n"));
script("plain");
script("files", "reach get_stdout", "reach descriptor_open_at", "reach descriptor_unlink_file_at", "import get_random_u64", "reach tcp_socket_start_connect",
       "name import wasi:cli/stdout@0.2.3", "name import wasi:filesystem/types@0.2.3");
script("evil", "reach get_stdout", `name unknown acme:door/lock#${EVIL}`, `name import ${EVIL}`, `name export ${EVIL}`, `name mismatch ${EVIL}`, `name request ${EVIL}`);
writeFileSync("none.wasm", "no component");
mkdirSync(`a-folder-with-a-name-that-is-${"very-".repeat(20)}long`);
write("one.html", join(data, "greet.wasm"));
write("many.html", ...["greet", "proxy", "secrets", "echo"].map(n => join(data, `${n}.wasm`)), "none.wasm", join(data, "world.wit"));
write("grants.html", "--engine", engine, "--dir", "/usr::/a/directory/with/a/name/of/some/length:ro", "--net", "connect=a-host-with-a-rather-long-name.example.com:443", "files", "plain");
write("evil.html", "--engine", engine, "evil", "files");

({ sessionId: session } = await send("Target.attachToTarget", { targetId: (await send("Target.createTarget", { url: "about:blank" })).targetId, flatten: true }));
for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`);
const open_all = "document.querySelectorAll('details').forEach(d => d.open = true)";
for (const page of ["one", "many", "grants", "evil"])
    for (const [width, size] of [[1280, "wide"], [360, "narrow"]])
        for (const scheme of ["light", "dark"]) {
            const it = `${page}, ${size}, ${scheme}`;
            await look(width, scheme);
            await open(`${page}.html`);
            check(`${it}: nothing sticks out`, await value(OVERFLOW));
            await keep(`${page}-${size}-${scheme}`);
            await value(open_all);
            check(`${it}: nor when all is open`, await value(OVERFLOW));
            check(`${it}: contrast`, await value(CONTRAST));
            check(`${it}: labels in their boxes`, await value(BOXES));
            const ground = await value(GROUND);
            check(`${it}: as it was asked for`, (scheme === "dark" ? ground < 0.2 : ground > 0.8) ? "" : `ground ${ground}`);
            await keep(`${page}-${size}-${scheme}-open`);
        }

// --- The search --------------------------------------------------------------------------------------------
await look(1280, "light");
await open("many.html");
const was = await value("[...document.querySelectorAll('details')].map(d => d.open).join()");
const type = async text => {
    await value("document.getElementById('search').select()");
    await (text ? send("Input.insertText", { text }) : send("Input.dispatchKeyEvent", { type: "keyDown", key: "Delete", code: "Delete", windowsVirtualKeyCode: 46 }));
};
const shown = "[...document.querySelectorAll('section tbody tr,section li')].filter(e => e.getClientRects().length).map(e => e.textContent.toLowerCase())";
await send("Input.dispatchKeyEvent", { type: "keyDown", key: "/", text: "/", code: "Slash", windowsVirtualKeyCode: 191 });
check("search: / leads to it", await value("document.activeElement.id") === "search" ? "" : "another element has the focus");
check("search: and types nothing", await value("document.activeElement.value"));
await type("PPOLL  clock");
const found = await value(shown), told = await value("document.getElementById('count').textContent");
check("search: finds", found.length > 0 && found.every(t => t.includes("ppoll") && t.includes("clock")) ? "" : `${found.length} rows: ${found[0]}`);
check("search: counts", told.startsWith(`${found.length} row`) ? "" : told);
await type("accept4");
check("search: in the graph", await value("document.querySelectorAll('svg .found').length") > 0 ? "" : "no box");
check("search: files without it are away", await value("document.querySelectorAll('section.hidden').length") > 0 ? "" : "all are there");
await keep("search");
await type("there is no such thing");
check("search: nothing", await value("document.getElementById('count').textContent") === "nothing found" && (await value(shown)).length === 0 ? "" : "something");
await type("");
check("search: and all is as it was", await value("[...document.querySelectorAll('details')].map(d => d.open).join()") === was &&
      await value("document.querySelectorAll('.hidden,.found').length") === 0 ? "" : "it is not");
await value("document.querySelector('nav a[href=\"#file-3\"]').click()");
check("overview: leads to a file", await value("document.getElementById('file-3').getBoundingClientRect().top >= document.querySelector('.bar').getBoundingClientRect().bottom - 1") ? "" : "it lies under the search");

// --- Paper -------------------------------------------------------------------------------------------------
await look(1280, "dark");
await open("many.html");
const pdf = Buffer.from((await send("Page.printToPDF", { preferCSSPageSize: false })).data, "base64");
check("paper: a page for each file at least", (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length >= 6 ? "" : "fewer");
if (shots) writeFileSync(join(shots, "many.pdf"), pdf);
check("paper: nothing is folded", await value("[...document.querySelectorAll('details')].filter(d => !d.open).length") === 0 ? "" : "something is");
await look(720, "dark", "print");
check("paper: nothing sticks out", await value(OVERFLOW));
check("paper: contrast", await value(CONTRAST));
check("paper: is white", await value(GROUND) === 1 ? "" : "no");

// --- Names that would be alive -----------------------------------------------------------------------------------
await look(1280, "light");
await open("evil.html");
check("evil: no element of its own", await value("document.querySelectorAll('img,script').length") === 1 ? "" : "there is one");
check("evil: it can be read", (await value("document.body.textContent")).includes("<script>alert(1)</script>") ? "" : "it is not there");
const of = method => heard.filter(m => m.method === method);
check("no dialog", of("Page.javascriptDialogOpening").map(m => m.params.message));
check("nothing is told to the console", [...of("Log.entryAdded").map(m => m.params.entry.text), ...of("Runtime.exceptionThrown").map(m => m.params.exceptionDetails.text)]);
check("nothing is fetched", of("Network.requestWillBeSent").map(m => m.params.request.url).filter(u => !u.startsWith(`file://${work}/`)));

await send("Browser.close", {}, undefined);
await ended;
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
