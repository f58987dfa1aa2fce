// Plays tests one after the other: { name: function }. A test throws what is wrong; a text that it gives says
// why there was nothing to test.
const count = { passed: 0, failed: 0, skipped: 0 };

// Those whose names have one of the words `only`, all if there is none. `after` is part of each test;
// `log` says, with LOG=1, what else there is to know of a failure.
export async function play(tests, { only = [], after = () => {}, log = () => '' } = {}) {
  for (const [name, test] of Object.entries(tests)) {
    if (only.length && !only.some((word) => name.includes(word))) continue;
    const began = Date.now();
    try {
      const missing = await test();
      await after();
      const skipped = typeof missing === 'string';
      count[skipped ? 'skipped' : 'passed']++;
      if (process.env.VERBOSE !== '' || skipped) console.log(`${skipped ? `skip ${name}: ${missing}` : `ok   ${name}`} (${Date.now() - began} ms)`);
    } catch (error) {
      count.failed++;
      console.log(`FAIL ${name}: ${error.stack ?? error}`);
      if (process.env.LOG) console.log(log());
    }
  }
}

// The closing line, and the end of the program.
export function finish() {
  console.log(`${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ''}`);
  process.exit(count.failed ? 1 : 0);
}
