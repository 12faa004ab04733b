// What a run came to: the last line of its output, and a file for the sum of several runs.
//   node scripts/totals.mjs test=0 backends=1     the sum of two runs, with the exit codes that they had
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache } from './setup.mjs';

const folder = join(cache, 'totals');
const fileOf = (name) => join(folder, `${name}.json`);

/** Forgets what an earlier run came to. */
export function clear(name) {
  rmSync(fileOf(name), { force: true });
}

/** Prints `N passed, N failed` as the last line; answers whether nothing failed. */
export function report(name, results) {
  const totals = sum(results);
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(name), JSON.stringify(totals));
  return print(totals);
}

function sum(results) {
  const total = (count) => results.reduce((all, result) => all + result[count], 0);
  return { passed: total('passed'), failed: total('failed'), skipped: total('skipped') };
}

function print({ passed, failed, skipped }) {
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0;
}

// A run that failed without saying at what, or that never came to its end, is a failure all the same.
function totalsOf(name, exitCode) {
  const file = fileOf(name);
  const totals = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passed: 0, failed: 1, skipped: 0 };
  return exitCode === 0 ? totals : { ...totals, failed: Math.max(totals.failed, 1) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runs = process.argv.slice(2).map((run) => run.split('='));
  process.exitCode = print(sum(runs.map(([name, code]) => totalsOf(name, Number(code))))) ? 0 : 1;
}
