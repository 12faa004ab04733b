import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const END_WITH_US = fileURLToPath(new URL('./end-with-us.ts', import.meta.url));

/** A process that has a `sleep` end with it, which says its own id and that of the shell. */
async function started(then: string): Promise<{ readonly program: ChildProcess; readonly pids: readonly number[] }> {
  const source = `
    import { execFileSync, spawn } from 'node:child_process';
    const { endWithUs } = await import(${JSON.stringify(END_WITH_US)});
    const sleep = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    sleep.unref();
    const callOff = endWithUs(sleep.pid);
    const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
    const shell = table.split('\\n').map((line) => line.trim().split(/\\s+/)).find((words) => words[1] === String(process.pid) && words.includes('read'));
    console.log(JSON.stringify([sleep.pid, Number(shell[0])]));
    ${then}
  `;
  const program = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(program.stdout ?? program, 'data')) as [Buffer];
  return { program, pids: JSON.parse(String(line)) as number[] };
}

/** Waits, for as long as the test may take, until a process is there no more. */
async function gone(pid: number): Promise<void> {
  while (isThere(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isThere(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}

test.skipIf(process.platform === 'win32')(
  'what ends with us is killed when we are, and nobody is left behind',
  async () => {
    const { program, pids } = await started('setInterval(() => undefined, 1_000);');
    expect(pids.map(isThere)).toEqual([true, true]);
    program.kill('SIGKILL');
    for (const pid of pids) await gone(pid);
  },
);

test.skipIf(process.platform === 'win32')('what was called off lives on, and holds nobody up', async () => {
  const { program, pids } = await started('callOff();');
  const [sleep = 0, shell = 0] = pids;
  await Promise.all([once(program, 'close'), gone(shell)]);
  expect(isThere(sleep)).toBe(true);
  process.kill(sleep, 'SIGKILL');
});

test.skipIf(process.platform === 'win32')('what is typed at our terminal does not reach the shell', async () => {
  const { program, pids } = await started('setInterval(() => undefined, 1_000);');
  const groups = [program.pid ?? 0, ...pids].map((pid) =>
    execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }).trim(),
  );
  expect(new Set(groups).size).toBe(3);
  program.kill('SIGKILL');
  for (const pid of pids) await gone(pid);
});
