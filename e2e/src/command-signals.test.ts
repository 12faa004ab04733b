import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { answer, hang, startCollector, text, when } from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';
import {
  binary,
  type CommandRun,
  type CommandScenario,
  type CommandStage,
  maskedText,
  MODEL,
  read,
  runCommand,
  storedRuns,
  visible,
} from './command-run.ts';
import { until } from './processes.ts';
import { bash } from './replies.ts';
import { screenOf } from './screen.ts';

interface StoredSpan {
  readonly kind: string;
  readonly seenBy: readonly string[];
  readonly input?: unknown;
}

const RULES = [when.lastUserText(/hang$/).reply(hang()), when.reply(answer(text('Hello from the model.')))];
const HANG = ['-p', 'hang', '--model', MODEL];

/** Waits until the model has been asked for what it will never answer, then acts. */
const whileItHangs =
  (act: (stage: CommandStage) => void) =>
  async (stage: CommandStage): Promise<void> => {
    stage.child.stdin?.end();
    await asked(stage);
    act(stage);
  };

async function asked({ api }: CommandStage): Promise<void> {
  await until(() => api.exchanges.some(({ request }) => request.lastUserText?.endsWith('hang')), 'a request');
  await delay(100);
}

function processes(): readonly { readonly pid: number; readonly parent: number; readonly args: string }[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(([, pid, parent, args = '']) => ({
    pid: Number(pid),
    parent: Number(parent),
    args,
  }));
}

/** The `claude` of a run, be it the process itself or its child. */
function claudeOf({ child }: CommandStage): number {
  const own = processes().find(
    ({ pid, parent, args }) => args.startsWith(binary()) && (pid === child.pid || parent === child.pid),
  );
  if (own === undefined) throw new Error(`no claude below ${child.pid}`);
  return own.pid;
}

describe('claude through the command ends as claude ends', () => {
  const by = (signal: NodeJS.Signals): CommandScenario => ({
    args: HANG,
    rules: RULES,
    drive: whileItHangs(({ child }) => child.kill(signal)),
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)('%s, which it cleans up after', async (signal) => {
    const [plain, traced] = [await runCommand(by(signal), 'plain'), await runCommand(by(signal), [])];
    expect(visible(traced)).toEqual(visible(plain));
  });

  /** What ends it at once, when it has told something at all. */
  const afterAWhile =
    (act: (stage: CommandStage) => void) =>
    async (stage: CommandStage): Promise<void> => {
      stage.child.stdin?.end();
      await asked(stage);
      await delay(1_000);
      act(stage);
    };
  const killed = afterAWhile((stage) => process.kill(claudeOf(stage), 'SIGKILL'));
  test.concurrent.each<[string, readonly string[], CommandScenario['drive'], string]>([
    ['SIGTERM', [], by('SIGTERM').drive, 'aborted'],
    ['SIGHUP', [], by('SIGHUP').drive, 'aborted'],
    ['SIGQUIT', [], afterAWhile(({ child }) => child.kill('SIGQUIT')), 'aborted'],
    ['SIGINT', [], by('SIGINT').drive, 'interrupted'],
    ['a kill of claude itself', [], killed, 'aborted'],
    ['SIGTERM, by telemetry alone', ['--no-session-persistence'], by('SIGTERM').drive, 'aborted'],
    ['SIGHUP, by telemetry alone', ['--no-session-persistence'], by('SIGHUP').drive, 'aborted'],
    ['SIGINT, by telemetry alone', ['--no-session-persistence'], by('SIGINT').drive, 'interrupted'],
    ['a kill of claude itself, by telemetry alone', ['--no-session-persistence'], killed, 'aborted'],
  ])('%s is what the run is stored with', async (_name, flags, drive, outcome) => {
    await runCommand({ args: [...HANG, ...flags], rules: RULES, ...(drive && { drive }) }, [], (run) => {
      expect(storedRuns(run)).toMatchObject([{ outcome }]);
    });
  });

  test('a kill of the command ends it too', async () => {
    let claude = 0;
    const scenario: CommandScenario = {
      args: HANG,
      rules: RULES,
      drive: whileItHangs((stage) => {
        claude = claudeOf(stage);
        stage.child.kill('SIGKILL');
      }),
    };
    expect((await runCommand(scenario, [])).signal).toBe('SIGKILL');
    await until(() => !processes().some(({ pid, args }) => pid === claude && args.startsWith(binary())), 'its end');
  });

  // What is in files by then is a matter of moments.
  const abrupt: Readonly<Record<string, CommandScenario>> = {
    SIGQUIT: by('SIGQUIT'),
    SIGUSR2: by('SIGUSR2'),
    'a kill of claude itself': {
      ...by('SIGKILL'),
      drive: whileItHangs((stage) => process.kill(claudeOf(stage), 'SIGKILL')),
    },
  };
  test.each(Object.entries(abrupt))('%s, which ends it at once', async (_name, scenario) => {
    const [plain, traced] = [await runCommand(scenario, 'plain'), await runCommand(scenario, [])];
    expect({ ...visible(traced), files: undefined }).toEqual({ ...visible(plain), files: undefined });
  });
});

/**
 * Of an interrupted `claude`, without what it has time for: one that exports telemetry, to whomever, takes a moment to send it, and may
 * in that print and note that it was interrupted.
 */
function interrupted(run: CommandRun): object {
  const { stdout, stderr, code, signal } = { ...run, ...visible(run) };
  return { stdout: stdout.replace('Execution error', ''), stderr, code, signal };
}

test('SIGINT: claude through the command ends as claude ends', async () => {
  const scenario = { args: HANG, rules: RULES, drive: whileItHangs(({ child }) => child.kill('SIGINT')) };
  const [plain, traced] = [await runCommand(scenario, 'plain'), await runCommand(scenario, [])];
  expect(interrupted(traced)).toEqual(interrupted(plain));
});

/** util-linux's `script` gives a program a terminal of its own; that of other systems takes other options. */
const hasTerminal = ((): boolean => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(
      'util-linux',
    );
  } catch {
    return false;
  }
})();

const SIZE = { columns: 97, rows: 31 };
const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
const inTerminal = (command: readonly string[]): readonly string[] => [
  'script',
  '-qec',
  `stty cols ${SIZE.columns} rows ${SIZE.rows}; exec ${quoted(command)}`,
  '/dev/null',
];
const settled = ({ cwd }: { readonly cwd: string }): string =>
  JSON.stringify({
    hasCompletedOnboarding: true,
    theme: 'dark',
    lastOnboardingVersion: '99.0.0',
    customApiKeyResponses: { approved: ['sk-ant-dummy'], rejected: [] },
    projects: { [cwd]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
  });

describe.skipIf(!hasTerminal)('in a terminal (skipped without util-linux’s script)', () => {
  const terminal = {
    within: inTerminal,
    rules: RULES,
    env: { TERM: 'xterm-256color' },
    home: { '.claude.json': settled },
  };
  const says = (stage: CommandStage, words: RegExp): Promise<void> =>
    until(() => words.test(screenOf(stage.stdout(), SIZE)), String(words));
  const type = async ({ child }: CommandStage, words: string): Promise<void> => {
    child.stdin?.write(words);
    await delay(400);
    child.stdin?.write('\r');
  };

  test('a headless run writes the same bytes', async () => {
    const scenario = { ...terminal, args: ['-p', 'hello', '--model', MODEL] };
    const [plain, traced] = [await runCommand(scenario, 'plain'), await runCommand(scenario, ['--quiet'])];
    expect(visible(traced)).toEqual(visible(plain));
  });

  test('our line begins at the beginning of a line, wherever claude has ended, and leaves no line empty', async () => {
    const rules = [
      when.lastUserText(/hello/).reply(answer(text('Hello.'))),
      when.reply(answer([text('Let me check.'), bash('toolu_1', 'true')])),
    ];
    const shown = async (...args: readonly string[]): Promise<string> => {
      const run = await runCommand({ ...terminal, rules, args: ['--model', MODEL, ...args] }, []);
      return screenOf(run.stdout, SIZE);
    };
    expect(await shown('-p', 'hello')).toMatch(/Hello\.\nspanprism: run /);
    const cut = ['-p', 'look', '--max-turns', '1', '--allowedTools', 'Bash'];
    expect(await shown(...cut)).toMatch(/max turns \(1\)\nspanprism: run /);
  });

  test('a session that is typed shows the same screen, and leaves the same files', async () => {
    const scenario: CommandScenario = {
      ...terminal,
      args: ['--model', MODEL],
      drive: async (stage) => {
        await says(stage, /❯/);
        await delay(500);
        await type(stage, 'hello');
        await says(stage, /Hello from the model\./);
        await delay(300);
        await type(stage, '/exit');
      },
    };
    const [plain, traced] = [await runCommand(scenario, 'plain'), await runCommand(scenario, ['--quiet'])];
    const [before, after] = [plain, traced].map((run) => ({
      ...visible(run),
      stdout: steady(screenOf(run.stdout, SIZE)),
      // What it notes of tips, retries and frames is a matter of moments.
      files: Object.keys(run.files).filter((path) => !path.includes('/backups/')),
    }));
    expect(after).toEqual(before);
    expect(before?.stdout).toContain('─'.repeat(SIZE.columns));
  });

  test.each(['/exit', '/help'])(
    'nothing is said or stored of a session that is left at once, with %s',
    async (word) => {
      const scenario: CommandScenario = {
        ...terminal,
        args: ['--model', MODEL],
        drive: async (stage) => {
          await says(stage, /❯/);
          await delay(500);
          await type(stage, word);
          await delay(1_500);
          if (word === '/exit') return;
          stage.child.stdin?.write('\x1b');
          await delay(300);
          await type(stage, '/exit');
        },
      };
      await runCommand(scenario, [], (run) => {
        expect(run.stdout).not.toContain('spanprism:');
        expect(storedRuns(run)).toEqual([]);
      });
    },
  );

  test('a session that is typed is stored with what its files hold, one after the other, where telemetry has no content', async () => {
    await using collector = await startCollector();
    const scenario: CommandScenario = {
      ...terminal,
      args: ['--model', MODEL],
      env: {
        ...terminal.env,
        CLAUDE_CODE_ENABLE_TELEMETRY: '1',
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_LOGS_EXPORT_INTERVAL: '500',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      },
      drive: async (stage) => {
        await says(stage, /❯/);
        await delay(500);
        for (const [words, answer] of [
          ['hello', /Hello from the model\./],
          ['/clear', /\/clear/],
          ['again', /again[^]*Hello from the model\./],
        ] as const) {
          await type(stage, words);
          await says(stage, answer);
          await delay(1_000);
        }
        await type(stage, '/exit');
      },
    };
    await runCommand(scenario, ['--store'], (run) => {
      const stored = storedRuns(run).map(({ id }) => {
        const { spans } = read<{ readonly spans: readonly StoredSpan[] }>(run, 'show', id);
        return spans.filter(({ kind }) => kind === 'llm').map(({ seenBy, input }) => [seenBy, JSON.stringify(input)]);
      });
      const said = (words: string): readonly unknown[] => [['cli', 'transcript'], expect.stringContaining(words)];
      expect(stored.toSorted()).toEqual([[said('again')], [said('hello')]]);
      expect(collector.bytes().includes('Hello from the model')).toBe(false);
    });
  });

  test('Ctrl-C reaches claude once', async () => {
    const scenario: CommandScenario = {
      ...terminal,
      args: HANG,
      drive: async (stage) => {
        await asked(stage);
        stage.child.stdin?.write('\x03');
      },
    };
    const [plain, traced] = [await runCommand(scenario, 'plain'), await runCommand(scenario, ['--quiet'])];
    expect(interrupted(traced)).toEqual(interrupted(plain));
  });

  test('an interrupt that somebody sends to the command alone reaches claude all the same', async () => {
    const scenario: CommandScenario = {
      ...terminal,
      args: HANG,
      drive: async (stage) => {
        await asked(stage);
        // The shell within `script` has become the command.
        const [command] = processes().filter(({ parent }) => parent === stage.child.pid);
        process.kill(command?.pid ?? 0, 'SIGINT');
      },
    };
    const [plain, traced] = [await runCommand(scenario, 'plain'), await runCommand(scenario, ['--quiet'])];
    expect([traced.code, traced.signal]).toEqual([plain.code, plain.signal]);
  });
});

/** Without what turns, counts or is drawn anew, and without ids. */
function steady(screen: string): string {
  return maskedText(screen)
    .replaceAll(/[\u2580-\u259f]/g, ' ')
    .replaceAll(/^\s*\S \S+ for \d+s.*$/gm, '<spinner>')
    .replaceAll(/^[ ~·]+/gm, '');
}
