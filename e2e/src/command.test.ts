import { answer, apiError, text, when } from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';
import { type CommandScenario, MODEL, OURS, runCommand, storedRuns, visible } from './command-run.ts';
import { bash } from './replies.ts';

const RULES = [
  when.toolResult('toolu_1').reply(answer(text('Done.'))),
  when
    .lastUserText(/use bash$/)
    .reply(answer([text('Let me check.'), bash('toolu_1', 'echo hello; cat a.txt > c.txt')])),
  when.lastUserText(/long$/).reply(answer(text('0123456789abcdef\n'.repeat(8_000)))),
  when.lastUserText(/fail$/).reply(apiError(400)),
  when.reply(answer(text('Hello.'))),
];
const SESSION = '11111111-2222-4333-8444-555555555555';

const print = (prompt: string, ...more: string[]): readonly string[] => [
  '-p',
  prompt,
  '--model',
  MODEL,
  '--allowedTools',
  'Bash',
  ...more,
];
const row = (prompt: string): string =>
  `${JSON.stringify({ type: 'user', message: { role: 'user', content: prompt } })}\n`;

const SCENARIOS: Readonly<Record<string, CommandScenario>> = {
  'headless, text': { args: print('use bash') },
  'headless, json': { args: print('use bash', '--output-format', 'json') },
  'headless, stream-json': {
    args: print('use bash', '--output-format', 'stream-json', '--verbose', '--include-partial-messages'),
  },
  'a long answer': { args: print('long') },
  'a run that the API refuses': { args: print('fail'), env: { CLAUDE_CODE_MAX_RETRIES: '0' } },
  'a run that comes to its limit of turns': { args: print('use bash', '--max-turns', '1', '--output-format', 'json') },
  'a prompt by a pipe': { args: ['-p', '--model', MODEL], stdin: 'hello by pipe' },
  'prompts as stream-json by a pipe': {
    args: ['-p', '--model', MODEL, '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
    stdin: row('one') + row('two'),
  },
  'a session that is resumed': {
    before: print('use bash', '--session-id', SESSION),
    args: print('hello again', '--resume', SESSION, '--output-format', 'json'),
  },
  'a session that is not there': { args: print('hello', '--resume', SESSION) },
  'an unknown flag': { args: ['--no-such-flag'] },
  'flags that are also ours': { args: ['--quiet', '-p', 'hello', '--capture', 'full'] },
  'no prompt': { args: ['-p', '--model', MODEL], stdin: '' },
  '--version': { args: ['--version'] },
  '--help': { args: ['--help'] },
  'a command of claude': { args: ['mcp', 'list'] },
};

// Each waits for its own processes most of the time.
describe.concurrent('claude through the command is claude: the same output, exit code and files', () => {
  test.each(Object.entries(SCENARIOS))('%s', async (_name, scenario) => {
    const prepared = { ...scenario, rules: RULES };
    const [plain, traced] = [await runCommand(prepared, 'plain'), await runCommand(prepared, [])];
    expect(visible(traced)).toEqual(visible(plain));
  });
});

test.concurrent.each(['--version', '--help', 'a command of claude', 'an unknown flag', 'no prompt'])(
  'nothing is said or stored of a run in which nothing happened: %s',
  async (name) => {
    await runCommand({ args: [], ...SCENARIOS[name] }, [], (run) => {
      expect(run.stderr).not.toMatch(OURS);
      expect(storedRuns(run)).toEqual([]);
    });
  },
);
