import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

const MODULE = JSON.stringify(new URL('./write-stderr.ts', import.meta.url).href);

/** Runs a program whose stderr nobody reads any more; what it says on stdout, and its exit code. */
async function unread(body: string): Promise<readonly [string, number | null]> {
  const program = `import { writeStderr } from ${MODULE};
    import { setTimeout as delay } from 'node:timers/promises';
    await new Promise((resolve) => process.stdin.once('data', resolve));
    ${body}
    console.log('done'); process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  child.stderr.destroy();
  let stdout = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stdin.write('\n');
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return [stdout, code];
}

test('a reader of stderr that has gone does not end the program, however many lines are written', async () => {
  const body = `for (let line = 0; line < 30; line += 1) writeStderr('line');
    await delay(20); writeStderr('last'); await delay(20); console.log(process.stderr.listenerCount('error'));`;
  expect(await unread(body)).toEqual(['0\ndone\n', 0]);
});

test('the error of a write of the program’s own stays its own', async () => {
  const body = `writeStderr('ours'); await delay(20);
    process.on('uncaughtException', (error) => console.log(error.code)); process.stderr.write('mine'); await delay(20);`;
  expect(await unread(body)).toEqual(['EPIPE\ndone\n', 0]);
});
