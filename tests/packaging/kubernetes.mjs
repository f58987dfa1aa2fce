// The manifests of packaging/kubernetes: held against the types that Kubernetes publishes (npm's kubernetes-types, by the
// TypeScript compiler), and against what they have to agree with here.
//   node tests/packaging/kubernetes.mjs
// The last line is `N passed, N failed, N skipped`; where npm cannot be reached, all of it is skipped.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm_install } from './npm.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url)), folder = join(root, 'packaging/kubernetes');
const work = mkdtempSync(join(tmpdir(), 'carrel-kubernetes-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
let passed = 0, failed = 0;
function check(name, right, why = '') {
  if (right) return void passed++;
  failed++;
  console.log(`FAILED ${name} ${why}`);
}
const end = (skipped) => {
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed ? 1 : 0);
};

writeFileSync(join(work, 'package.json'), '{"private": true}');
if (npm_install(work, ['kubernetes-types@1.30.0', 'typescript@5.6.3', 'yaml@2.6.0'])) end(1);
const yaml = createRequire(join(work, 'x.js'))('yaml');
const documents = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort().flatMap((name) =>
  yaml.parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((one) => ({ name, errors: one.errors, it: one.toJS() })));
for (const { name, errors } of documents) check(`${name} is YAML`, errors.length === 0, errors.join('; '));

// --- Kubernetes' types ----------------------------------------------------------------------------------
// The module of an apiVersion: apps/v1 is apps/v1, v1 is core/v1, and node.k8s.io/v1 is node/v1.
const module_of = (version) => (version.includes('/') ? version.replace('.k8s.io', '') : `core/${version}`);
const compiles = (it) => {
  writeFileSync(join(work, 'one.ts'), `import { ${it.kind} } from 'kubernetes-types/${module_of(it.apiVersion)}';\nexport const one: ${it.kind} = ${JSON.stringify(it, null, 1)};\n`);
  const { status, stdout } = spawnSync(join(work, 'node_modules/.bin/tsc'), ['--noEmit', '--strict', '--skipLibCheck', '--moduleResolution', 'node', 'one.ts'], { cwd: work, encoding: 'utf8' });
  return status === 0 ? '' : stdout;
};
for (const { name, it } of documents) {
  const why = compiles(it);
  check(`${name}: ${it.kind}`, why === '', why);
}
const of_kind = (kind) => documents.map(({ it }) => it).filter((it) => it.kind === kind);
const [deployment] = of_kind('Deployment'), [service] = of_kind('Service'), [runtime] = of_kind('RuntimeClass');
check('a field that is misspelled does not pass', compiles({ ...deployment, spec: { ...deployment.spec, replica: 2 } }) !== '');

// --- What has to agree ------------------------------------------------------------------------------------
const pod = deployment.spec.template, [container] = pod.spec.containers;
const annotations = Object.entries(pod.metadata.annotations);
const known = [...readFileSync(join(root, 'shim/containerd/annotation.def'), 'utf8').matchAll(/^ANNOTATION\(\w+, +"([^"]+)"/gm)].map(([, key]) => key);
check('the annotations are carrel\'s', known.length > 5 && annotations.every(([key]) => known.includes(key.replace('carrel.policy/', ''))), known);
check('the pod names the RuntimeClass', pod.spec.runtimeClassName === runtime.metadata.name);
check('containerd knows its handler', readFileSync(join(root, 'packaging/containerd/carrel.toml'), 'utf8').includes(`containerd.runtimes.${runtime.handler}]`));
const matches = (selector) => Object.entries(selector).every(([key, value]) => pod.metadata.labels[key] === value);
check('the Deployment selects its pods', matches(deployment.spec.selector.matchLabels));
check('the Service selects them, too', matches(service.spec.selector));
const port = Number(pod.metadata.annotations['carrel.policy/serve'].split(':').pop());
check('all mean one port', [container.ports[0].containerPort, service.spec.ports[0].targetPort, container.readinessProbe.httpGet.port].every((one) => one === port));
end(0);
