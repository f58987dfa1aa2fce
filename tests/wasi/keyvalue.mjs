// Stores of wasi:keyvalue in real cells: what was acknowledged is there after a crash, whoever crashed;
// what is no store is refused; no keeper stays.
//
//   node tests/wasi/keyvalue.mjs [--carrel FILE] [--as USER_ID] [--only REGEXP] [--verbose]
//
// The last line is `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { play_all, read_options, set_up } from '../carrel.mjs';
import { load_scenarios } from './build.mjs';

const { options } = read_options('', { verbose: { type: 'boolean', default: false } });
const { work, give, run } = set_up(options, 'keyvalue-');
const { scenarios, build } = load_scenarios(work, path.join(path.dirname(fileURLToPath(import.meta.url)), 'keyvalue'));
const component = build(scenarios.get('keyvalue'), 1);
const ids = options.as === undefined ? {} : { uid: Number(options.as), gid: Number(options.as) };

const new_folder = () => {
  const folder = fs.mkdtempSync(path.join(work, 'stores-'));
  fs.chmodSync(folder, 0o755);
  give(folder);
  return folder;
};

// Keepers of a file, as the host sees them.
const keepers = file => fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(pid => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, 2).join(' ').endsWith(`carrel-keyvalue ${file}`);
  } catch { return false; }
}).map(Number);

const must = (claim, what) => { if (!claim) throw new Error(what); };
const gone = async file => {
  for (let i = 0; i < 100 && keepers(file).length; i++) await new Promise(resolve => setTimeout(resolve, 50));
  must(!keepers(file).length, 'a keeper stayed');
};

const go = (file, what, number, flags = []) => run(['run', '--keyvalue', `box=${file}`, ...flags, component, what, String(number)]);

// Counts until `enough` keys were acknowledged, then whoever is to crash does: { code, told }.
const crash = (file, enough, whom) => new Promise(resolve => {
  const child = spawn(path.join(work, 'carrel'), ['run', '--keyvalue', `box=${file}`, component, 'c', '0'], { ...ids, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '', done = false;
  child.stdout.on('data', data => {
    text += data;
    if (done || text.length < 8 * enough) return;
    done = true;
    for (const pid of whom(child)) process.kill(pid, 'SIGKILL');
  });
  child.on('close', code => resolve({ code, told: Math.floor(text.length / 8) }));
});

const cases = {
  'what is set stays': async file => {
    must((await go(file, 'c', 20)).code === 0, 'counts');
    must((await go(file, 'h', 20)).code === 0, 'has it');
    must((await go(file, 'h', 21)).code === 4, 'has more');
    must((fs.statSync(file).mode & 0o777) === 0o600, 'others can read it');
  },
  'the keeper crashes': async file => {
    const { code, told } = await crash(file, 30, () => keepers(file));
    must(code === 3, `the guest was told nothing: ${code}`);
    must(told >= 30 && (await go(file, 'h', told)).code === 0, `${told} acknowledged, and not all there`);
  },
  'the shim crashes': async file => {
    const { told } = await crash(file, 30, child => [child.pid]);
    await gone(file);
    must(told >= 30 && (await go(file, 'h', told)).code === 0, `${told} acknowledged, and not all there`);
  },
  'two cells, one store': async file => {
    const both = await Promise.all([go(file, 'c', 50), go(file, 'c', 60)]);
    must(both.every(one => one.code === 0), both.map(one => `${one.code} ${one.stderr}`).join(' '));
    must((await go(file, 'h', 60)).code === 0, 'has it');
  },
  'no database': async file => {
    fs.writeFileSync(file, 'this is a text, and long enough to be looked at: '.repeat(100));
    give(path.dirname(file));
    const { code, stderr } = await go(file, 'c', 1);
    must(code === 127 && stderr.includes(`cannot keep a store in ${file}: file is not a database`), `${code} ${stderr}`);
    must(fs.readFileSync(file, 'utf8').startsWith('this is a text'), 'it was written to');
  },
  'a link': async file => {
    fs.symlinkSync('/etc/passwd', file);
    const { code, stderr } = await go(file, 'c', 1);
    must(code === 127 && stderr.includes('cannot keep a store'), `${code} ${stderr}`);
  },
  'a folder that is not there': async file => {
    const { code, stderr } = await go(path.join(file, 'below'), 'c', 1);
    must(code === 125 && stderr.includes('its folder: No such file'), `${code} ${stderr}`);
  },
  'who waits for a store can be ended': async file => {
    const folder = fs.mkdtempSync(path.join(work, 'slow-'));
    fs.chmodSync(folder, 0o755);
    for (const name of ['carrel', 'carrel-engine']) fs.copyFileSync(path.join(work, name), path.join(folder, name));
    const slow = path.join(folder, 'carrel-keyvalue');
    fs.writeFileSync(slow, '#!/bin/sh\nexec sleep 86399\n', { mode: 0o755 });
    const child = spawn(path.join(folder, 'carrel'), ['run', '--keyvalue', `box=${file}`, component, 'c', '1'], { ...ids, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', data => said += data);
    const closed = new Promise(resolve => child.on('close', (code, signal) => resolve({ code, signal })));
    const waits = () => fs.readdirSync('/proc').some(pid => {
      try {
        return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('86399')
          && Number(/^PPid:\t(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) === child.pid;
      } catch { return false; }
    });
    while (!waits() && child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 20));
    const started = Date.now();
    child.kill('SIGINT');
    const { code, signal } = await closed;
    must(signal === 'SIGINT' || code === 130, `ended with ${code ?? signal}: ${said}`);
    must(Date.now() - started < 15_000, `it went on for ${Date.now() - started} ms`);
    must(!waits(), 'the keeper stayed');
  },
  'denied by a policy': async file => {
    const policy = path.join(path.dirname(file), 'policy.yaml');
    fs.writeFileSync(policy, 'version: 1\nallow: {keyvalue: box=box.db}\ndeny: {capability: keyvalue}\n');
    const denied = await run(['run', '--policy', policy, component, 'c', '1']);
    must(denied.code === 11 && denied.stderr.includes('keyvalue'), `${denied.code} ${denied.stderr}`);
    must(!fs.existsSync(file), 'the store was made');
    fs.writeFileSync(policy, `version: 1\nallow: {keyvalue: box=box.db}\n`);
    const allowed = await run(['run', '--policy', policy, component, 'c', '1']);
    must(allowed.code === 0 && fs.existsSync(file), `${allowed.code} ${allowed.stderr}`);
    fs.writeFileSync(policy, `version: 1\nallow: {keyvalue: box=box.db}\ndeny: {dir: .}\n`);
    const kept = await run(['run', '--policy', policy, component, 'c', '1']);
    must(kept.code === 125 && kept.stderr.includes('no store can be in'), `${kept.code} ${kept.stderr}`);
  },
};

const play = async ({ act }) => {
  const file = path.join(new_folder(), 'box.db');
  try {
    await act(file);
    await gone(file);
    return { state: 'passed', lines: [] };
  } catch (error) {
    return { state: 'failed', lines: String(error.message).split('\n') };
  }
};
const only = new RegExp(options.only);
await play_all(Object.entries(cases).filter(([name]) => only.test(name)).map(([name, act]) => ({ name, act })), play, { ...options, jobs: 2 });
process.exit();
