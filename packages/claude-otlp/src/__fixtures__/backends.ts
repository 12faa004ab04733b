import type { CollectedSpan } from '@spanprism/testkit';
import type { Row } from '@spanprism/testkit/conformance';

type Kind = Row['kind'];
type Attributes = CollectedSpan['attributes'];

/** What one backend makes of the attributes of a span, after its documents. */
export interface Backend {
  /** Its own word for a kind of span, and which kinds may have that word. */
  readonly word?: (attributes: Attributes) => unknown;
  readonly kinds?: Readonly<Record<string, readonly Kind[]>>;
  readonly labels: Readonly<Partial<Record<Kind, string>>>;
  readonly input: string;
  readonly output: string;
  readonly cached: readonly string[];
  readonly cost: string;
  /** Seconds from the start of a call to the first chunk of its answer. */
  readonly firstToken: string;
  /** Where it looks for what was said. */
  readonly content: RegExp;
}

const GENAI_CONTENT =
  'gen_ai\\.(input\\.messages|output\\.messages|system_instructions|tool\\.definitions|tool\\.call\\.(arguments|result))';

/** OpenTelemetry's GenAI conventions, v1.41; input includes both caches. */
export const GENAI: Backend = {
  labels: { agent: 'gen_ai.agent.name', llm: 'gen_ai.response.id', tool: 'gen_ai.tool.call.id' },
  word: (attributes) => attributes['gen_ai.operation.name'] ?? 'none',
  kinds: { invoke_agent: ['agent'], chat: ['llm'], execute_tool: ['tool'], none: ['permission', 'hook', 'custom'] },
  input: 'gen_ai.usage.input_tokens',
  output: 'gen_ai.usage.output_tokens',
  cached: ['gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_creation.input_tokens'],
  cost: 'claude.cost_usd',
  firstToken: 'gen_ai.response.time_to_first_chunk',
  content: new RegExp(`^${GENAI_CONTENT}$`),
};

/** OpenInference, as Phoenix and Arize read it: `llm.token_count.prompt` includes both caches. */
export const OPENINFERENCE: Backend = {
  labels: { agent: 'agent.name', llm: 'claude.message_id', tool: 'tool.id' },
  word: (attributes) => attributes['openinference.span.kind'],
  kinds: { AGENT: ['agent'], LLM: ['llm'], TOOL: ['tool'], CHAIN: ['permission', 'hook', 'custom'] },
  input: 'llm.token_count.prompt',
  output: 'llm.token_count.completion',
  cached: ['llm.token_count.prompt_details.cache_read', 'llm.token_count.prompt_details.cache_write'],
  cost: 'llm.cost.total',
  firstToken: 'claude.seconds_to_first_chunk',
  content: /^((input|output)\.value|llm\.(input|output)_messages\..+|llm\.tools\.\d+\.tool\.json_schema)$/,
};

/** LangSmith: the run type, and inputs and outputs of a run. */
export const LANGSMITH: Backend = {
  ...GENAI,
  word: (attributes) => attributes['langsmith.span.kind'],
  kinds: { llm: ['llm'], tool: ['tool'], chain: ['agent', 'permission', 'hook', 'custom'] },
  content: /^((input|output)\.value|gen_ai\.system_instructions|gen_ai\.tool\.definitions)$/,
};

/** Braintrust: the conventions, and its own keys over them. */
export const BRAINTRUST: Backend = {
  ...GENAI,
  word: (attributes) => (JSON.parse(String(attributes['braintrust.span_attributes'])) as { readonly type: string }).type,
  kinds: { llm: ['llm'], tool: ['tool'], task: ['agent'], function: ['permission', 'hook', 'custom'] },
  content: new RegExp(`^(${GENAI_CONTENT}|braintrust\\.(input|output))$`),
};

/** Laminar: the conventions on calls, its own keys on everything else. */
export const LAMINAR: Backend = {
  ...GENAI,
  word: (attributes) => attributes['lmnr.span.type'],
  kinds: { LLM: ['llm'], TOOL: ['tool'], DEFAULT: ['agent', 'permission', 'hook', 'custom'] },
  content: new RegExp(`^(${GENAI_CONTENT}|lmnr\\.span\\.(input|output))$`),
};

/** OpenLLMetry: entities, and a model call is what `gen_ai.*` tells of. */
export const TRACELOOP: Backend = {
  ...GENAI,
  word: (attributes) => attributes['traceloop.span.kind'] ?? 'none',
  kinds: { agent: ['agent'], tool: ['tool'], none: ['llm'], task: ['permission', 'hook'], workflow: ['custom'] },
  content: new RegExp(`^(${GENAI_CONTENT}|traceloop\\.entity\\.(input|output))$`),
};

/** Sentry: ops decide what a span is, and costs have a key of their own. */
export const SENTRY: Backend = {
  ...GENAI,
  word: (attributes) => attributes['sentry.op'] ?? 'none',
  kinds: {
    'gen_ai.invoke_agent': ['agent'],
    'gen_ai.chat': ['llm'],
    'gen_ai.execute_tool': ['tool'],
    none: ['permission', 'hook', 'custom'],
  },
  cost: 'gen_ai.cost.total_tokens',
};

const BY_NAME: Readonly<Record<string, Kind>> = {
  invoke_agent: 'agent',
  chat: 'llm',
  execute_tool: 'tool',
  permission: 'permission',
  hook: 'hook',
};

/** The rows that a backend shows of what has arrived. */
export function rowsOf(backend: Backend, spans: readonly CollectedSpan[]): readonly Row[] {
  return spans.map((span) => rowOf(backend, span));
}

function rowOf(backend: Backend, span: CollectedSpan): Row {
  const { attributes } = span;
  const kind = kindOf(backend, span);
  const seconds = numberOf(attributes[backend.firstToken]);
  const issues = attributes['claude.issues'];
  const cached = backend.cached.map((key) => numberOf(attributes[key])).filter((value) => value !== undefined);
  return {
    traceId: span.traceId,
    id: span.spanId,
    kind,
    label: String(attributes[backend.labels[kind] ?? ''] ?? span.name),
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    outcome: outcomeOf(span),
    text: Object.keys(attributes)
      .filter((key) => backend.content.test(key))
      .map((key) => String(attributes[key]))
      .join('\n'),
    ...present({
      parentId: span.parentSpanId,
      firstTokenAt: seconds === undefined ? undefined : span.startedAt + BigInt(Math.round(seconds * 1e9)),
      countedInput: numberOf(attributes[backend.input]),
      countedOutput: numberOf(attributes[backend.output]),
      cachedInput: cached.length === 0 ? undefined : cached.reduce((sum, value) => sum + value, 0),
      costUsd: numberOf(attributes[backend.cost]),
      issues: Array.isArray(issues) ? issues.map(String) : undefined,
    }),
  };
}

/** The name tells kinds apart for people; the backend's own word must agree with it. */
function kindOf({ word, kinds = {} }: Backend, { name, attributes }: CollectedSpan): Kind {
  const kind = BY_NAME[name.split(' ')[0] ?? ''] ?? 'custom';
  const said = String(word?.(attributes));
  if (word !== undefined && !kinds[said]?.includes(kind)) throw new Error(`"${name}" is shown as ${said}`);
  return kind;
}

function outcomeOf({ attributes, status }: CollectedSpan): Row['outcome'] {
  if (attributes['claude.tool.denied_by'] !== undefined) return 'denied';
  if (attributes['claude.cancelled'] === true) return 'cancelled';
  return status.code === 2 ? 'error' : 'ok';
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

function present<T extends object>(fields: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { readonly [K in keyof T]?: Exclude<T[K], undefined> };
}
