// Everything that must hold, in one run. Each check counts as one, each vitest test as one.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, run } from './setup.mjs';

const steps = [
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['biome', 'format'] },
  { name: 'build', command: ['turbo', 'run', 'build', '--output-logs=errors-only'] },
  { name: 'typecheck', command: ['turbo', 'run', 'typecheck', '--output-logs=errors-only'] },
  { name: 'packages', command: ['node', join('scripts', 'check-packages.mjs')] },
  { name: 'unit', vitest: '!e2e' },
  { name: 'e2e', vitest: 'e2e' },
];

function check({ command }) {
  const ok = run(command);
  return { passed: Number(ok), failed: Number(!ok), skipped: 0 };
}

function vitest({ name, vitest: project }) {
  const file = join(cache, 'test-results', `${name}.json`);
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ok = run(['vitest', 'run', '--project', project, ...reporters]);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report;
  // A file that cannot be loaded and an error outside any test fail the run without failing a test.
  const failed = ok ? numFailedTests : Math.max(numFailedTests, 1);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/** Runs all steps, prints `N passed, N failed` as the last line, answers whether nothing failed. */
export function test() {
  mkdirSync(join(cache, 'test-results'), { recursive: true });
  const results = steps.map((step) => {
    console.log(`\n— ${step.name}`);
    return { name: step.name, ...(step.vitest ? vitest(step) : check(step)) };
  });
  const sum = (count) => results.reduce((total, result) => total + result[count], 0);
  const failures = results.filter(({ failed }) => failed > 0).map(({ name }) => name);
  const skipped = sum('skipped');
  console.log(failures.length > 0 ? `\nFailed: ${failures.join(', ')}` : '');
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failures.length === 0;
}
