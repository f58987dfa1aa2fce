// An SPDX document of packaging/sbom, held against the specification and the files that it is about.
//   node tests/packaging/sbom.mjs DOCUMENT FOLDER [SCHEMA]    FOLDER has the files; SCHEMA is what SPDX publishes for 2.3,
// which is not kept here
// The last line is `N passed, N failed, N skipped`.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { violations } from '../runner/schema.mjs';

const [file, folder, schema] = process.argv.slice(2);
const document = JSON.parse(readFileSync(file, 'utf8'));
let passed = 0, failed = 0, skipped = 0;
function check(name, why) {
  if (!why || why.length === 0) return void passed++;
  failed++;
  console.log(`FAILED ${name}: ${[].concat(why).slice(0, 5).join('; ')}`);
}
const not = (right, why) => (right ? '' : why);
const { packages, files, relationships } = document;
const digest = (kind, bytes) => createHash(kind).update(bytes).digest('hex');

// --- The specification ------------------------------------------------------------------------------
check('version', not(document.spdxVersion === 'SPDX-2.3' && document.dataLicense === 'CC0-1.0', 'is another'));
check('its own name', not(document.SPDXID === 'SPDXRef-DOCUMENT' && /^https?:\/\/[^#]+$/.test(document.documentNamespace), 'is no name'));
check('time', not(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(document.creationInfo.created), document.creationInfo.created));
check('creators', document.creationInfo.creators.filter((one) => !/^(Person|Organization|Tool): ./.test(one)));
const ids = ['SPDXRef-DOCUMENT', ...packages.map((one) => one.SPDXID), ...files.map((one) => one.SPDXID)];
check('identifiers', ids.filter((id) => !/^SPDXRef-[A-Za-z0-9.-]+$/.test(id)));
check('no identifier twice', ids.filter((id, i) => ids.indexOf(id) !== i));
check('nothing refers to nothing', relationships.flatMap((one) => [one.spdxElementId, one.relatedSpdxElement]).filter((id) => !ids.includes(id)));
check('places', packages.filter((one) => !one.downloadLocation || typeof one.filesAnalyzed !== 'boolean').map((one) => one.name));
check('package URLs', packages.filter((one) => !/^pkg:deb\/debian\/[^@]+@[^?]+\?arch=\w+&distro=\S+$/.test(one.externalRefs?.[0].referenceLocator)).map((one) => one.name));
if (schema && existsSync(schema)) check("SPDX's schema", violations(JSON.parse(readFileSync(schema)), document));
else skipped++;

// --- The files ----------------------------------------------------------------------------------------
const walk = (at) => readdirSync(at, { withFileTypes: true }).flatMap((one) =>
  one.isDirectory() ? (one.name === 'DEBIAN' ? [] : walk(join(at, one.name))) : one.isFile() ? [join(at, one.name)] : []);
const there = walk(folder).filter((one) => !one.endsWith('.spdx.json')).map((one) => `./${relative(folder, one)}`);
check('every file', there.filter((one) => !files.some((known) => known.fileName === one)));
check('no file that is not there', files.map((one) => one.fileName).filter((one) => !there.includes(one)));
const sums = new Map();
for (const one of files.filter((known) => there.includes(known.fileName))) {
  const bytes = readFileSync(join(folder, one.fileName));
  const found = Object.fromEntries(one.checksums.map((sum) => [sum.algorithm, sum.checksumValue]));
  sums.set(one.fileName, digest('sha1', bytes));
  check(`digests of ${one.fileName}`, not(found.SHA1 === sums.get(one.fileName) && found.SHA256 === digest('sha256', bytes), 'are of another file'));
}
const whole = packages.filter((one) => one.filesAnalyzed);
check('one package has the files', not(whole.length === 1, `${whole.length} have`));
check('its verification code', not(whole[0]?.packageVerificationCode.packageVerificationCodeValue === digest('sha1', [...sums.values()].sort().join('')), 'is of other files'));

// --- What is in the programs ----------------------------------------------------------------------------
const of_kind = (kind) => relationships.filter((one) => one.relationshipType === kind);
const programs = files.filter((one) => readFileSync(join(folder, one.fileName)).subarray(0, 4).equals(Buffer.from('\x7fELF')));
const linked = (one) => of_kind('STATIC_LINK').filter((link) => link.spdxElementId === one.SPDXID).map((link) => packages.find((known) => known.SPDXID === link.relatedSpdxElement));
check('there are programs', not(programs.length, 'none is an ELF file'));
for (const one of programs) {
  check(`libraries of ${one.fileName}`, not(linked(one).some((known) => /^(libc6|musl)-dev$/.test(known.name)), 'no C library is among them'));
  check(`licences of ${one.fileName}`, linked(one).filter((known) => !known.licenseDeclared || known.licenseDeclared === 'NOASSERTION').map((known) => known.name));
}
check('it is described', not(of_kind('DESCRIBES').length === 1 && of_kind('DESCRIBES')[0].relatedSpdxElement === whole[0]?.SPDXID, 'by another'));
check('what built it', not(of_kind('BUILD_DEPENDENCY_OF').some((one) => /clang|gcc/.test(one.spdxElementId)), 'has no compiler'));

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed ? 1 : 0;
