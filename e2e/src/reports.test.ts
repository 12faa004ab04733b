import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { answer, text, thinking, when } from '@spanprism/testkit';
import { expect, inject, test } from 'vitest';
import { MODEL, runCommand } from './command-run.ts';
import { NODES } from './lane.ts';
import { bash, usage } from './replies.ts';

const COMMAND = 'echo "1 of 12 failed" >&2; exit 3';
const scenario = {
  args: ['-p', 'Make the tests pass', '--model', MODEL, '--allowedTools', 'Bash'],
  rules: [
    when.toolResult('toolu_1').reply(answer(text('They fail.'), { usage: usage(300, 30) })),
    when.reply(
      answer(
        [thinking('Which tests fail? Running them tells.'), text('Let me run the tests.'), bash('toolu_1', COMMAND)],
        {
          usage: usage(100, 10),
        },
      ),
    ),
  ],
};

interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

test('what the real agent did is listed, shown with what led to a failure, grouped and added up, on every Node', async () => {
  await runCommand(scenario, ['--quiet'], async ({ store }) => {
    for (const [version, node] of Object.entries(NODES).filter(([name]) => !name.startsWith('20'))) {
      const report = (...args: string[]): Promise<Printed> => run(node, args, store);
      const runs = await report('runs', '--json');
      expect(runs, version).toMatchObject({ code: 0, stderr: '' });
      const [{ id, costNanoUsd }] = (JSON.parse(runs.stdout) as { runs: [{ id: string; costNanoUsd: number }] }).runs;
      const page = await report('show', id.slice(0, 8));
      expect(page, version).toMatchObject({ code: 0, stderr: '' });
      const lines = page.stdout.split('\n').map((line) => line.replace(/^.*│ +/, '').trim());
      expect(lines).toEqual(
        expect.arrayContaining([
          'prompt    Make the tests pass',
          'thinking  Which tests fail? Running them tells.',
          'said      Let me run the tests.',
          `input     command: ${COMMAND}`,
        ]),
      );
      const failures = await report('failures', '--json');
      expect(failures, version).toMatchObject({ code: 1, stderr: '' });
      expect(JSON.parse(failures.stdout)).toMatchObject({
        failures: [
          {
            kind: 'tool',
            name: 'Bash',
            cause: 'ShellError',
            count: 1,
            latest: { runId: id, input: { command: COMMAND } },
          },
        ],
      });
      const cost = JSON.parse((await report('cost', '--by', 'tool', '--json')).stdout) as {
        rows: readonly { name: string; costNanoUsd: number }[];
        total: { costNanoUsd: number };
      };
      expect(cost.rows.map(({ name }) => name)).toEqual(['Bash', 'unattributed']);
      expect(cost.rows.reduce((sum, row) => sum + row.costNanoUsd, 0)).toBe(cost.total.costNanoUsd);
      expect(cost.total.costNanoUsd).toBe(costNanoUsd);
      expect(costNanoUsd).toBeGreaterThan(0);
    }
  });
});

function run(node: string, args: readonly string[], store: string): Promise<Printed> {
  const main = join(inject('packedFolder'), 'node_modules', 'spanprism', 'dist', 'main.js');
  return new Promise((resolve) => {
    execFile(node, [main, ...args], { env: { PATH: '', SPANPRISM_STORE: store } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
