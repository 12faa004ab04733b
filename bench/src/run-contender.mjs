// Contenders and the backend they send to, each in a process of its own: nobody inherits another's compiled code, heap or timers.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MEASURE = fileURLToPath(new URL('./measure-contender.mjs', import.meta.url));
const MEASURE_WARM = fileURLToPath(new URL('./measure-warm.mjs', import.meta.url));
const BACKEND = fileURLToPath(new URL('./sink-process.mjs', import.meta.url));

/** Starts the backend, hands `use` a function that measures one contender, and stops the backend. */
export async function withBackend(use) {
  const backend = fork(BACKEND);
  try {
    const [{ origin }] = await once(backend, 'message');
    const takeBytes = async () => {
      backend.send('bytes');
      const [{ bytes }] = await once(backend, 'message');
      return bytes;
    };
    return await use((job) => measure({ ...job, origin }, takeBytes));
  } finally {
    backend.disconnect();
  }
}

/** Nanoseconds per message of each contender, all of them in one warm process, conversation by conversation in turn. */
export async function measureWarm(job) {
  const child = fork(MEASURE_WARM, [JSON.stringify(job)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the warm contenders ended with ${code}`);
  });
  const [samples] = await Promise.race([once(child, 'message'), died]);
  died.catch(() => {});
  return samples;
}

/** What one conversation took: `wallNanos` in the consumer's loop, `cpuNanos` with the flush, `bytes` received, `heap` as sampled. */
async function measure(job, takeBytes) {
  const child = fork(MEASURE, [JSON.stringify(job)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`${job.contender} ended with ${code}\n${complaints}`);
  });
  const next = () => Promise.race([once(child, 'message'), died]);
  await next();
  await takeBytes();
  child.send('go');
  const [measured] = await next();
  died.catch(() => {});
  if (measured.seen !== job.messages) throw new Error(`${job.contender} let ${measured.seen} of ${job.messages} pass`);
  return { ...measured, bytes: await takeBytes() };
}

export function median(values) {
  return values.toSorted((left, right) => left - right)[values.length >> 1];
}

/** A, B, C, then C, B, A, and so on: what drifts on the machine drifts for all. */
export async function interleaved(names, rounds, run) {
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) samples[name].push(await run(name));
  }
  return samples;
}
