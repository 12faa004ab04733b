// One run for all contenders: A, B, C, then C, B, A, and so on. On a machine with noisy neighbours only ratios of one such run mean anything.

const ROUNDS = 7;
const SLICE_MS = 120;

/**
 * @param {Record<string, () => void>} contenders each does one unit of work
 * @returns {Record<string, number>} median nanoseconds per unit
 */
export function interleave(contenders) {
  const names = Object.keys(contenders);
  const units = Object.fromEntries(names.map((name) => [name, warmUp(contenders[name])]));
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      samples[name].push(nanosPerUnit(contenders[name], units[name]));
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(samples[name])]));
}

/** Runs until the compiler has settled; says how many units fill a slice. */
function warmUp(work) {
  const end = performance.now() + 4 * SLICE_MS;
  let units = 0;
  while (performance.now() < end) {
    work();
    units++;
  }
  return Math.max(1, Math.ceil(units / 4));
}

function nanosPerUnit(work, units) {
  // With `--expose-gc` nobody pays for the garbage of the contender before him; then the heap grows back to what this one needs.
  globalThis.gc?.();
  for (let unit = 0; unit < units / 2; unit++) work();
  const start = process.hrtime.bigint();
  for (let unit = 0; unit < units; unit++) work();
  return Number(process.hrtime.bigint() - start) / units;
}

function median(values) {
  return values.toSorted((left, right) => left - right)[values.length >> 1];
}
