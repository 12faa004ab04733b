import { expect, test } from 'vitest';
import { applyCapture } from '../../../core/src/capture/apply-capture.ts';
import { resolveCapture } from '../../../core/src/capture/policy.ts';
import { genaiDialect } from '../../../core/src/dialect/genai-dialect.ts';
import type { Span } from '../../../core/src/model/span.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { play } from '../replay/replay.ts';
import { type QueryScript, type SourceSet, type Step, scriptsOf } from '../replay/script.ts';

const CANARY = 'CANARY, said in so many words';

/** What may hold any text at all and leaves by default: names, ids and codes. All that is not here is content. */
const NAMES_AND_CODES = [
  ...['agent.name', 'agent_type', 'gen_ai.request.model', 'model', 'name', 'subagent_type', 'tool_name', 'tools'],
  ...['fallback_model', 'original_model', 'claude_code_version', 'permissionMode'],
  ...[
    'agent_id',
    'id',
    'message.id',
    'message.uuid',
    'request_id',
    'session.id',
    'session_id',
    'task_id',
    'tool_use_id',
  ],
  ...['api_error_type', 'api_refusal_category', 'category', 'error_class', 'stop_reason', 'trigger'],
  // Of `api_retry`: a code. Words of errors stand elsewhere.
  'system:api_retry error',
];

/** Each place where one sort of message or record has a text is tried so many times. */
const TIMES = 3;

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
  /** The name of the field; of items in a list, that of the list. */
  readonly name: string;
}

function textsIn(value: unknown, name = ''): Place[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => {
    const own = Array.isArray(value) ? name : key;
    return typeof holder[key] === 'string' ? [{ holder, key, name: own }] : textsIn(holder[key], own);
  });
}

function contentOf({ what }: Step): unknown {
  if (what.type === 'telemetry') return what.request.groups;
  return what.type === 'message' || what.type === 'prompt-taken' ? what.message : undefined;
}

/** What the message or the record says that it is. */
function sortOf({ what }: Step, { holder }: Place): string {
  if (what.type === 'telemetry') return `${what.request.signal}:${String(holder['event.name'])}`;
  const { type, subtype } = contentOf({ what } as Step) as Record<string, unknown>;
  return [type, subtype].filter((part) => part !== undefined).join(':');
}

const POLICY = resolveCapture(undefined, { environment: {} });
const DIALECT = genaiDialect();
const dump = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));

function leaves(span: Span): boolean {
  const captured = applyCapture(span, POLICY);
  return dump([captured, DIALECT.attributes(captured), DIALECT.spanName(captured), DIALECT.events(captured)]).includes(
    CANARY,
  );
}

/** The names of the fields whose text leaves by default. */
function leaving(script: QueryScript, tried: Map<string, number>): readonly string[] {
  return script.steps.flatMap((step) =>
    textsIn(contentOf(step)).flatMap((place) => {
      const { holder, key, name } = place;
      const sort = sortOf(step, place);
      const label = `${script.sources} ${sort} ${name}`;
      const times = tried.get(label) ?? 0;
      tried.set(label, times + 1);
      if (times >= TIMES) return [];
      const text = holder[key];
      holder[key] = CANARY;
      try {
        return play(script).spans.some(leaves) ? [NAMES_AND_CODES.includes(name) ? name : `${sort} ${name}`] : [];
      } finally {
        holder[key] = text;
      }
    }),
  );
}

test('of all texts of all recordings, one at a time, only names, ids and codes leave by default', {
  timeout: 120_000,
}, () => {
  const tried = new Map<string, number>();
  const found = (['sdk+cli', 'sdk+partials', 'cli'] as const satisfies readonly SourceSet[]).flatMap((sources) =>
    listRecordings().flatMap((name) =>
      scriptsOf(openRecording(name), sources).flatMap((script) => leaving(script, tried)),
    ),
  );
  expect(tried.size).toBeGreaterThan(500);
  expect([...new Set(found)].toSorted()).toEqual(NAMES_AND_CODES.toSorted());
});
