// Everything that must hold, in one run. Each check counts as one, each vitest test as one.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, run, setup } from './setup.mjs';
import { clear, report } from './totals.mjs';

const TEST = [
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['biome', 'format'] },
  { name: 'build', command: ['turbo', 'run', 'build', '--output-logs=errors-only'] },
  { name: 'typecheck', command: ['turbo', 'run', 'typecheck', '--output-logs=errors-only'] },
  { name: 'packages', command: ['node', join('scripts', 'check-packages.mjs')] },
  { name: 'unit', projects: ['!e2e', '!backends'] },
  { name: 'e2e', projects: ['e2e'] },
];
// Apart from the others: the first run on a machine builds for minutes.
const BACKENDS = [{ name: 'backends', projects: ['backends'] }];

function check({ command }) {
  const ok = run(command);
  return { passed: Number(ok), failed: Number(!ok), skipped: 0 };
}

// A file that cannot be loaded fails without failing a test.
function isUnloaded({ status, assertionResults }) {
  return status === 'failed' && assertionResults.every((result) => result.status !== 'failed');
}

function vitest({ name, projects }) {
  const file = join(cache, 'test-results', `${name}.json`);
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ok = run(['vitest', 'run', ...projects.map((project) => `--project=${project}`), ...reporters]);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0, testResults = [] } = report;
  const failed = numFailedTests + testResults.filter(isUnloaded).length;
  // An error outside every test fails the run alone.
  return { passed: numPassedTests, failed: ok ? failed : Math.max(failed, 1), skipped: numPendingTests + numTodoTests };
}

function runStep(step) {
  console.log(`\n— ${step.name}`);
  return { name: step.name, ...(step.projects ? vitest(step) : check(step)) };
}

function runSteps(name, steps) {
  clear(name);
  const isReady = setup();
  mkdirSync(join(cache, 'test-results'), { recursive: true });
  const results = isReady ? steps.map(runStep) : [{ name: 'set-up', passed: 0, failed: 1, skipped: 0 }];
  const failures = results.filter(({ failed }) => failed > 0).map((result) => result.name);
  console.log(failures.length > 0 ? `\nFailed: ${failures.join(', ')}` : '');
  return report(name, results);
}

/** Everything but the real backends. The last line is `N passed, N failed`; answers whether nothing failed. */
export function test() {
  return runSteps('test', TEST);
}

/** The tests against real backends, likewise. */
export function testBackends() {
  return runSteps('backends', BACKENDS);
}
