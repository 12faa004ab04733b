import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

/** Runs `cat` through us from a shell that has opened a file of that number. */
function cat(number: number, ...args: readonly string[]): string {
  const program = `
    const { startChild, endLike } = await import(${JSON.stringify(CHILD)});
    const child = await startChild({ program: 'cat', args: ${JSON.stringify(args)}, env: process.env });
    endLike(await child.ended);
  `;
  const script = `exec ${number}<<< "of the shell"; exec "$0" --conditions=@spanprism/source --input-type=module -e "$1"`;
  return execFileSync('bash', ['-c', script, process.execPath, program], { encoding: 'utf8' });
}

test.each([3, 11, 19])('what the shell has opened as file %i for an argument is there', (number) => {
  expect(cat(number, `/dev/fd/${number}`)).toBe('of the shell\n');
});
