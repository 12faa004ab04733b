// Makes the recordings in ../../recordings anew, with the real `claude`:
// node --conditions=@spanprism/source packages/testkit/src/record/record.ts [name …]
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Options } from '@anthropic-ai/claude-agent-sdk';
import { claudeBinary } from '../claude-process/claude-binary.ts';
import { cleanEnvironment } from '../claude-process/environment.ts';
import { makeProject, type Project } from '../claude-process/project.ts';
import { type Collector, startCollector } from '../collector/collector.ts';
import type { JsonObject } from '../json.ts';
import { type MessagesApi, startMessagesApi } from '../messages-api/messages-api.ts';
import { ownRecordingsRoot } from '../recordings/recording.ts';
import { runHost } from './host.ts';
import type { RecordScript } from './script.ts';
import { sessionFilesIn } from './session-files.ts';
import { LONG_TEXTS, SCRIPTS } from './scripts.ts';
import { replacementsFor, type TrimOptions, trimmed } from './trim.ts';
import { wireLines } from './wire-lines.ts';
import { withoutRequestIds } from './without-request-ids.ts';

const MODEL = 'claude-sonnet-4-5';
const TRACEPARENT = '00-5a1e7c0ffee0d15ea5e0ba5eba11ad00-0ddba11c0ffee000-01';
const SIGNALS = ['traces', 'logs', 'metrics'] as const;
/** Fractions of a millisecond that a recording keeps. */
const PLACES = 100;

/** Names of the files of a recording and their text. */
type Files = Readonly<Record<string, string>>;

async function record(script: RecordScript, claude: string): Promise<Files> {
  await using project = await makeProject();
  await using collector = await startCollector();
  const started = performance.now();
  const epochMs = Date.now();
  const now = (): number => Math.round((performance.now() - started) * PLACES) / PLACES;
  await using api = await startMessagesApi({ rules: script.rules, name: script.name.replaceAll('-', ''), now });
  await using gateway = script.hidesRequestIds === true ? await withoutRequestIds(api.url) : undefined;
  const arrivals = timesOf(collector, now);
  const options = optionsOf(script, { project, claude, apiUrl: gateway?.url ?? api.url, sinkUrl: collector.url });
  const log = await runHost(script, { options, now });
  const trim: TrimOptions = {
    replacements: replacementsFor(project),
    isOwn: (text) => LONG_TEXTS.some((long) => long.includes(text)),
  };
  const lines = (values: readonly unknown[]): string =>
    values.map((value) => `${JSON.stringify(trimmed(value, trim))}\n`).join('');
  const left = await sessionFilesIn(project.home);
  const exports = SIGNALS.map((signal) => [
    `otlp-${signal}.json`,
    `[\n${exportsOf(collector, signal, arrivals)
      .map((entry) => JSON.stringify(trimmed(entry, trim)))
      .join(',\n')}\n]\n`,
  ]);
  return {
    'sdk-messages.jsonl': lines(log.messages),
    'driver-events.jsonl': lines(log.driverEvents),
    'wire.jsonl': lines(wireOf(api, script)),
    'meta.json': `${JSON.stringify({ ...(await metaOf(script)), wall_epoch_ms_at_t0: epochMs }, undefined, 1)}\n`,
    ...(Object.fromEntries(exports) as Files),
    ...Object.fromEntries(left.map(({ name, rows }) => [name, lines(rows)])),
  };
}

interface Place {
  readonly project: Project;
  readonly claude: string;
  readonly apiUrl: string;
  readonly sinkUrl: string;
}

function optionsOf(script: RecordScript, { project, claude, apiUrl, sinkUrl }: Place): Options {
  const telemetry = {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_ENDPOINT: sinkUrl,
    OTEL_TRACES_EXPORT_INTERVAL: '500',
    OTEL_LOGS_EXPORT_INTERVAL: '500',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_LOG_USER_PROMPTS: '1',
    OTEL_LOG_ASSISTANT_RESPONSES: '1',
    OTEL_LOG_TOOL_DETAILS: '1',
    OTEL_LOG_TOOL_CONTENT: '1',
    TRACEPARENT: script.hasTraceparent === true ? TRACEPARENT : undefined,
  };
  return {
    cwd: project.cwd,
    model: MODEL,
    allowedTools: ['Bash', 'Read', 'Agent'],
    settingSources: [],
    env: cleanEnvironment({ home: project.home, apiUrl, extra: telemetry }),
    pathToClaudeCodeExecutable: claude,
  };
}

/** When each request reached the collector. */
function timesOf(collector: Collector, now: () => number): readonly number[] {
  const times: number[] = [];
  const note = ({ requests }: Collector): boolean => {
    while (times.length < requests.length) times.push(now());
    return false;
  };
  collector.until(note).catch(() => undefined);
  return times;
}

function exportsOf(collector: Collector, signal: string, times: readonly number[]): readonly JsonObject[] {
  return collector.requests.flatMap((request, index) =>
    request.signal === signal
      ? [
          {
            received_ms: times[index],
            url: request.path,
            headers: { 'content-type': request.headers['content-type'] },
            payload: request.decoded,
          },
        ]
      : [],
  );
}

function wireOf(api: MessagesApi, script: RecordScript): readonly JsonObject[] {
  return api.exchanges.flatMap((exchange, index) => wireLines(exchange, index + 1, script.hidesRequestIds === true));
}

async function metaOf(script: RecordScript): Promise<JsonObject> {
  const sdk = dirname(createRequire(import.meta.url).resolve('@anthropic-ai/claude-agent-sdk'));
  const manifest = JSON.parse(await readFile(join(sdk, 'package.json'), 'utf8')) as Record<string, unknown>;
  return {
    scenario: script.name,
    sdk: manifest['version'],
    cli: manifest['claudeCodeVersion'],
    ...(script.hasTraceparent === true ? { traceparent_in: TRACEPARENT } : {}),
    env_overrides: {},
    hooks_registered: false,
    wire_kept_whole: false,
  };
}

const binary = claudeBinary();
if (binary.path === undefined) throw new Error(binary.absent);
const names = process.argv.slice(2);
for (const script of SCRIPTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const files = await record(script, binary.path);
  const folder = join(ownRecordingsRoot(), script.name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  process.stdout.write(`${script.name}: ${Object.values(files).join('').length} bytes\n`);
}
