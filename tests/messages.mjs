// Every message of a failure in the sources, as a whole: each says what and where, and what to do.
//   node tests/messages.mjs [--list]     --list prints them all: KIND, FILE, TEXT, and a `+` before those whose kind says what to do
//
// What is looked at are the calls of err_set and outcome_fail. Their text says what to do if it has a clause that begins with one
// of WORDS, a flag or a command, if advice_on() of shim/advice.h stands behind it, or if the kind has words for all its texts (advice_on_kind
// in runner/report.c). A text of nothing but names and a last `%s` is another message passed on; those of
// policy files and of rules of the network are the calls of wrong().
// The last line is `N passed, N failed`.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const KINDS = ['MALFORMED', 'INVALID', 'UNLINKABLE', 'LIMIT', 'DENIED', 'TRAP', 'EXHAUSTED', 'MEMORY', 'KILLED', 'TIME', 'ABSENT', 'USAGE', 'WALL', 'FAULT'];
const of_kind = new Set([...readFileSync(join(root, 'runner/report.c'), 'utf8').matchAll(/case ERR_(\w+): return ": /g)].map(([, kind]) => kind));

// What begins a clause that says what to do: an imperative, or what there is to choose from.
const WORDS = `add|allow|another|ask|audit|begin|build|call|check|choose|clear|close|correct|create|delete|did you mean|enable|end|expected|export|fetch|find|free|give|
  have|install|is carrel|is the|it exports|it has to|it is to be|it must|keep|kill|known are|leave|let|lift|make|mend|mount|name|open|pass|please report|put|raise|remove|rename|report|run|
  say|see|send|set|spell|start|state|take|tell|try|unpack|use|wait|whoever|write`.replace(/\n\s*/g, '');
const ADVICE = new RegExp(`(^|[:;,(|] |\\b(or|and|then) )(${WORDS})\\b|--[a-z%][a-z=%-]* (gives|runs|takes)|(^|[:;,(] |\\b(or|and) )\`carrel|must be a|: the commands are|%s%s$`);
// Texts that nobody is shown where all is well: whoever started the cell has judged its imports before, and names them.
const ELSEWHERE = /^engine\/(cell|component|exec|wasi)\/.* UNLINKABLE|^engine\/component\/(host|wit)\.c FAULT/;

// The calls of `name` in a C source: their arguments, as text.
function* calls(source, name) {
  for (const found of source.matchAll(new RegExp(`\\b${name}\\(`, 'g'))) {
    let depth = 1, at = found.index + found[0].length, quoted = false;
    const begin = at;
    for (; depth > 0 && at < source.length; at++) {
      const c = source[at];
      if (quoted) { if (c === '\\') at++; else if (c === '"') quoted = false; }
      else if (c === '"') quoted = true;
      else if (c === '(') depth++;
      else if (c === ')') depth--;
    }
    yield source.slice(begin, at - 1);
  }
}
const literals = (text) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, one]) => one);
// Literals that stand side by side are one; those between which something else stands are several.
const texts = (call) => call.replace(/"\s*(?:PRI\w+|STR_FMT)?\s*"/g, (all) => (/PRI/.test(all) ? '%d' : /STR/.test(all) ? '%s' : ''));

const sources = ['engine', 'policies', 'runner', 'shim'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true }).filter((file) => file.endsWith('.c')).map((file) => join(folder, file))).sort();
const messages = [];
for (const file of sources) {
  const source = readFileSync(join(root, file), 'utf8').replace(/\/\*[^]*?\*\//g, '');
  for (const name of ['err_set', 'outcome_fail', 'wrong', 'wrong_at']) for (const call of calls(source, name)) {
    const kind = name.startsWith('wrong') && /^(runner\/policy_|policies\/net\.c)/.test(file) ? 'USAGE' : call.match(/\bERR_([A-Z]+)\b/)?.[1], whole = texts(call), found = literals(whole);
    if (!found.length || !KINDS.includes(kind)) continue;
    messages.push({ kind, file, text: found.join(' | '), advised: /\badvice_on/.test(call), passed: /^((%s|%\.\*s|%zu|'%s'|--[a-z]*|carrel\.policy\/|: | |:)+( \| )?)*$/.test(found.join(' | ')) });
  }
}

if (process.argv[2] === '--list') {
  for (const { kind, file, text } of messages) console.log(`${of_kind.has(kind) ? '+' : ' '} ${kind.padEnd(10)} ${file.padEnd(34)} ${text}`);
}
const bad = messages.filter((one) => !of_kind.has(one.kind) && !one.advised && !one.passed && !ELSEWHERE.test(`${one.file} ${one.kind}`) && !ADVICE.test(one.text));
for (const { kind, file, text } of bad) console.log(`FAILED ${file}: ${kind}: nothing says what to do: "${text}"`);
// A list that has shrunk is a reader that has gone blind.
const enough = messages.length >= 350;
if (!enough) console.log(`FAILED only ${messages.length} messages were found`);
console.log(`${messages.length - bad.length + Number(enough)} passed, ${bad.length + Number(!enough)} failed`);
process.exitCode = bad.length || !enough ? 1 : 0;
