import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  answer,
  cleanEnvironment,
  hang,
  makeProject,
  type MessagesApi,
  type Project,
  type Rule,
  startMessagesApi,
  text,
  toolUse,
  when,
} from '@spanprism/testkit';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { binary, MODEL } from './command-run.ts';
import { until } from './processes.ts';
import { root } from './run-example.ts';

const USAGE = { input_tokens: 1_000, output_tokens: 50, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
/** Reads a file, and says so; or, asked to, reads another and then says nothing. */
const rules = (cwd: string): readonly Rule[] => {
  const read = (id: string, file: string) => toolUse({ id, name: 'Read', input: { file_path: join(cwd, file) } });
  const asked = when.firstUserText(/then hang/);
  return [
    asked.toolResult('toolu_2').reply(hang()),
    asked.toolResult('toolu_1').reply(answer([read('toolu_2', 'b.txt')], { usage: USAGE })),
    when.toolResult('toolu_1').reply(answer(text('Reviewed.'), { usage: USAGE })),
    when.reply(answer([read('toolu_1', 'a.txt')], { usage: USAGE })),
  ];
};

let project: Project;
let api: MessagesApi;
const started: ChildProcess[] = [];
beforeEach(async () => {
  project = await makeProject();
  api = await startMessagesApi({ rules: [...rules(project.cwd)] });
});
afterEach(async () => {
  // What a failed test has left running.
  for (const { pid, exitCode, signalCode } of started.splice(0))
    if (pid !== undefined && exitCode === null && signalCode === null) killTree(pid);
  await api.close();
  await project.remove();
});

interface Step {
  readonly id: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: string;
}

/** The steps of the workflow in the documentation that run something, but for the installation. */
function stepsOfDocumentation(): readonly Step[] {
  const [, workflow = ''] =
    /^```yaml\n# \.github\/workflows.*?\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs', 'ci.md'), 'utf8')) ?? [];
  return workflow
    .split(/^ {6}- /m)
    .slice(1)
    .flatMap((step) => {
      const [, run = ''] = /^\s*run: (.*)$/m.exec(step) ?? [];
      const [, id = ''] = /^\s*id: (.*)$/m.exec(step) ?? [];
      const [, block = ''] = /^ +env:\n((?: {10}.*\n)+)/m.exec(step) ?? [];
      const env = [...block.matchAll(/^ +(\w+): (.*)$/gm)].map(([, name = '', value = '']) => [name, value]);
      return run === '' || run.startsWith('npm install') ? [] : [{ id, run, env: Object.fromEntries(env) }];
    });
}

/** A job as GitHub's runner has it: files that steps write to, and an environment that grows. */
class Job {
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #outputs: Record<string, string> = {};

  constructor({ home }: Project, apiUrl: string) {
    this.#folder = join(home, 'runner');
    const bin = join(this.#folder, 'bin');
    mkdirSync(bin, { recursive: true });
    symlinkSync(join(inject('packedFolder'), 'node_modules', '.bin', 'spanprism'), join(bin, 'spanprism'));
    symlinkSync(binary(), join(bin, 'claude'));
    for (const name of ['event.json', 'summary.md', 'output', 'env']) writeFileSync(join(this.#folder, name), '');
    this.#env = cleanEnvironment({
      home,
      apiUrl,
      extra: {
        PATH: [bin, process.env['PATH']].join(delimiter),
        ANTHROPIC_MODEL: MODEL,
        GITHUB_ACTIONS: 'true',
        GITHUB_EVENT_PATH: this.file('event.json'),
        GITHUB_STEP_SUMMARY: this.file('summary.md'),
        GITHUB_OUTPUT: this.file('output'),
        GITHUB_ENV: this.file('env'),
        RUNNER_TEMP: this.#folder,
      },
    });
  }

  file(name: string): string {
    return join(this.#folder, name);
  }

  start({ run, env }: Step): ChildProcess {
    for (const line of readFileSync(this.file('env'), 'utf8').split('\n')) {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (name !== '') this.#env[name] = value;
    }
    const own = Object.entries(env).map(([name, value]) => [name, this.#settled(value)]);
    // As the runner starts it.
    const shell = ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', run];
    const child = spawn('bash', shell, {
      cwd: project.cwd,
      env: { ...this.#env, ...Object.fromEntries(own) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    return child;
  }

  async run(step: Step): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    const child = this.start(step);
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (chunk: string) => (written[name] += chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const lines = readFileSync(this.file('output'), 'utf8');
    for (const [, name = '', , value = ''] of lines.matchAll(/^(\w+)<<(.+)\n([^]*?)\n\2$/gm))
      this.#outputs[`${step.id}.outputs.${name}`] = value;
    return { code, ...written };
  }

  outputs(): Readonly<Record<string, string>> {
    return this.#outputs;
  }

  /** The secret is what the scripted API takes for one. */
  #settled(value: string): string {
    return value
      .replace('${{ secrets.ANTHROPIC_API_KEY }}', 'sk-ant-dummy')
      .replace(/\$\{\{ steps\.(\S+) \}\}/, (_, name: string) => this.#outputs[name] ?? '');
  }
}

test('the workflow of the documentation runs as it stands, and tells what it cost', async () => {
  const job = new Job(project, api.url);
  const steps = stepsOfDocumentation();
  const ends = [];
  for (const step of steps) ends.push(await job.run(step));
  expect(steps.map(({ run }) => run.split(' ')[0])).toEqual(['echo', 'spanprism', 'spanprism', 'echo']);
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(ends[1]?.stdout).toBe('Reviewed.\n');
  const page = ends[2]?.stdout ?? '';
  expect(page).toMatch(/^\| [0-9a-f]{8} \| ✅ completed \| claude-opus-5-5 \| 1 \| 2 \| 1 \| 2,000 \| 0 \| 100 \| \$/m);
  expect(page).toMatch(/^\| Read \| 1 \|/m);
  expect(page).toContain('Within budget');
  expect(readFileSync(job.file('summary.md'), 'utf8')).toBe(page);
  const cost = job.outputs()['spanprism.outputs.cost_usd'] ?? '';
  expect(Number(cost)).toBeGreaterThan(0);
  expect(ends[3]?.stdout).toBe(`0 runs failed, for ${cost} dollars in all\n`);
});

test('a run over the budget fails the step, with one line', async () => {
  const job = new Job(project, api.url);
  const [place, review] = stepsOfDocumentation();
  await job.run(place!);
  await job.run(review!);
  const { code, stderr } = await job.run({ id: 'spanprism', env: {}, run: 'spanprism ci --max-tokens 2099' });
  expect(code).toBe(1);
  expect(stderr).toBe('::error::spanprism: over budget: tokens 2,100, --max-tokens 2,099\n');
});

test('a run whose step was killed is listed as cut, with what had ended until then', async () => {
  const job = new Job(project, api.url);
  const [place, review, sum] = stepsOfDocumentation();
  await job.run(place!);
  const child = job.start({ ...review!, run: 'spanprism claude -p "Review, then hang"' });
  const closed = once(child, 'close');
  await until(() => api.exchanges.length > 2, 'the third call');
  await until(() => stored(job) === 'a call and a tool', 'the call and the tool in the store');
  killTree(child.pid!);
  await closed;
  const { code, stdout } = await job.run(sum!);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^\| [0-9a-f]{8} \| ✂ cut \| claude-opus-5-5 \| 0 \| ([12]) \| [12] \| \1,000 \| 0 \| (50|100) \| \$/m,
  );
  expect(job.outputs()).toMatchObject({ 'spanprism.outputs.runs': '1', 'spanprism.outputs.cut': '1' });
});

/** What of the run has come to the store until now. */
function stored(job: Job): string {
  const env = { PATH: process.env['PATH'], SPANPRISM_STORE: job.file('spans.db') };
  if (!existsSync(job.file('spans.db'))) return 'nothing';
  const main = join(inject('packedFolder'), 'node_modules', 'spanprism', 'dist', 'main.js');
  const text = execFileSync(process.execPath, [main, 'runs', '--json'], { env, encoding: 'utf8' });
  const { runs }: { runs: { llmCalls: number; toolCalls: number }[] } = JSON.parse(text);
  const [run] = runs;
  return run !== undefined && run.llmCalls > 0 && run.toolCalls > 0 ? 'a call and a tool' : 'less';
}

/** As the runner kills a step. */
function killTree(pid: number): void {
  for (const one of treeOf(pid)) process.kill(one, 'SIGKILL');
}

/** A process and all below it. */
function treeOf(pid: number): readonly number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = rows.filter(([, parent]) => parent === pid).flatMap(([child]) => treeOf(child!));
  return [pid, ...below];
}
