import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Io } from './command.ts';
import { COMMANDS } from './commands.ts';
import { parseArguments, splitAtWord } from './parse-arguments.ts';
import { runCommandLine } from './run-command-line.ts';

interface Written {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function collected(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

async function run(...args: string[]): Promise<Written> {
  const [stdout, stderr] = [collected(), collected()];
  const io: Io = {
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { PATH: '' },
    cwd: '/',
    isTerminal: false,
    columns: 80,
    now: () => new Date(0),
  };
  const exitCode = await runCommandLine(args, io);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

const OPTIONS = {
  endpoint: { type: 'string', short: 'e', description: '' },
  quiet: { type: 'boolean', description: '' },
} as const;

test('the word is the first argument that is no option and no value of one', () => {
  expect(splitAtWord(['--quiet', '--endpoint', 'claude', 'claude', '-p', 'hi'], OPTIONS)).toEqual({
    leading: ['--quiet', '--endpoint', 'claude'],
    word: 'claude',
    rest: ['-p', 'hi'],
  });
  expect(splitAtWord(['-e', 'http://x', 'runs'], OPTIONS).word).toBe('runs');
  expect(splitAtWord(['--endpoint=http://x', 'runs'], OPTIONS).word).toBe('runs');
  expect(splitAtWord(['--quiet'], OPTIONS)).toEqual({ leading: ['--quiet'], rest: [] });
});

test('every command of the table is the one that it loads, described the same', async () => {
  for (const { name, summary, load } of COMMANDS) {
    const { command } = await load();
    expect({ name: command.name, summary: command.summary }).toEqual({ name, summary });
    expect(command.usage.every((line) => line.startsWith('spanprism '))).toBe(true);
  }
});

test('help and version are data: they go to stdout', async () => {
  for (const args of [['--help'], ['help'], ['help', 'claude'], ['--help', 'claude'], ['--version']]) {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).not.toBe('');
  }
  expect((await run('help')).stdout).toContain(`  ${COMMANDS[0]!.name}`);
});

test('without a command the help is chatter, and wrong usage', async () => {
  const { exitCode, stdout, stderr } = await run();
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain('Usage:');
});

test.each([
  [['nonsense'], /^spanprism: there is no command "nonsense"; commands are .*claude.*\n$/],
  [['--bogus'], /^spanprism: no command in "spanprism --bogus"; .*\n$/],
  [['--bogus', 'claude'], /^spanprism: claude: unknown option '--bogus'; spanprism help claude lists its options\n$/],
])('wrong usage %j is one line that says what and what to do', async (args, line) => {
  const { exitCode, stdout, stderr } = await run(...args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(line);
});

test('options of a command may stand before or behind its name', () => {
  const command = { name: 'x', summary: '', usage: [], options: OPTIONS, run: async () => 0 };
  expect(parseArguments(command, ['--quiet', 'a', '-e', 'b'])).toMatchObject({
    values: { quiet: true, endpoint: 'b' },
    positionals: ['a'],
  });
});
