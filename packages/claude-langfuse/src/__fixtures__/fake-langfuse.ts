/**
 * What Langfuse's server (4.16) makes of what it is sent, written after its documents and its mapping of attributes, and not after
 * the code that is held against it.
 */
import { type CollectedSpan, type Collector, startCollector } from '@spanprism/testkit';

type Fields = Readonly<Record<string, unknown>>;

/** One row of Langfuse's table of observations, with the fields of its trace, as ingestion version 4 keeps them. */
export interface FakeObservation {
  readonly id: string;
  readonly traceId: string;
  readonly parentId: string | undefined;
  readonly type: string;
  readonly name: string;
  /** Nanoseconds since 1970 as they came; Langfuse itself keeps milliseconds. */
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly level: string;
  readonly statusMessage: string | undefined;
  /** As the detail view shows them: parsed where they are JSON. */
  readonly input: unknown;
  readonly output: unknown;
  readonly model: string | undefined;
  readonly modelParameters: Fields;
  readonly usageDetails: Readonly<Record<string, number>>;
  readonly costDetails: Readonly<Record<string, number>>;
  readonly completionStartTime: string | undefined;
  readonly promptName: string | undefined;
  readonly promptVersion: number | undefined;
  readonly metadata: Fields;
  readonly environment: string;
  readonly release: string | undefined;
  readonly version: string | undefined;
  readonly userId: string | undefined;
  readonly sessionId: string | undefined;
  readonly tags: readonly string[];
  readonly traceName: string | undefined;
  readonly isPublic: boolean | undefined;
}

/** OTLP spans as `/api/public/otel/v1/traces` maps them. */
export function observations(spans: readonly CollectedSpan[]): readonly FakeObservation[] {
  return spans.map(observation);
}

function observation(span: CollectedSpan): FakeObservation {
  const { attributes, resource } = span;
  const text = (...keys: readonly string[]): string | undefined => {
    const found = keys.map((key) => attributes[key]).find((value) => value !== undefined && value !== '');
    return found === undefined ? undefined : String(found);
  };
  const type = typeOf(attributes);
  // The hard trap: an agent has neither model nor usage nor cost, whatever it was given.
  const isEmptied = ['invoke_agent', 'agent_step'].includes(String(attributes['gen_ai.operation.name']));
  const [input, output] = contentOf(attributes);
  const promptVersion = attributes['langfuse.observation.prompt.version'];
  return {
    id: span.spanId,
    traceId: span.traceId,
    parentId: span.parentSpanId,
    type,
    name: text('gen_ai.tool.name', 'logfire.msg') ?? span.name,
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    level: text('langfuse.observation.level') ?? (span.status.code === 2 ? 'ERROR' : 'DEFAULT'),
    statusMessage: text('langfuse.observation.status_message') ?? (span.status.message || undefined),
    input: shown(input),
    output: shown(output),
    model: isEmptied
      ? undefined
      : text('langfuse.observation.model.name', 'gen_ai.response.model', 'gen_ai.request.model', 'model'),
    modelParameters: parametersOf(attributes),
    usageDetails: isEmptied ? {} : usageOf(attributes),
    costDetails: isEmptied ? {} : costOf(attributes),
    completionStartTime: dateText(attributes['langfuse.observation.completion_start_time']),
    promptName: type === 'GENERATION' ? text('langfuse.observation.prompt.name') : undefined,
    promptVersion: type === 'GENERATION' && Number.isInteger(promptVersion) ? Number(promptVersion) : undefined,
    metadata: { ...metadataOf(attributes, 'observation'), ...metadataOf(attributes, 'trace') },
    environment: environmentOf(attributes, resource),
    release: text('langfuse.release') ?? known(resource['langfuse.release']),
    version: text('langfuse.version') ?? known(resource['service.version']),
    userId: text('langfuse.user.id', 'user.id'),
    sessionId: text('langfuse.session.id', 'session.id', 'gen_ai.conversation.id'),
    tags: tagsOf(attributes['langfuse.trace.tags'] ?? attributes['langfuse.tags']),
    traceName: text('langfuse.trace.name'),
    isPublic: publicOf(attributes['langfuse.trace.public'] ?? attributes['langfuse.public']),
  };
}

const TYPES = ['span', 'generation', 'event', 'embedding', 'agent', 'tool', 'chain', 'retriever', 'guardrail', 'evaluator'];
const OPERATIONS: Readonly<Record<string, string>> = {
  chat: 'generation',
  invoke_agent: 'agent',
  create_agent: 'agent',
  execute_tool: 'tool',
};

function typeOf(attributes: Fields): string {
  const said = String(attributes['langfuse.observation.type'] ?? '');
  if (TYPES.includes(said)) return said.toUpperCase();
  const byOperation = OPERATIONS[String(attributes['gen_ai.operation.name'])];
  if (byOperation !== undefined) return byOperation.toUpperCase();
  if ('gen_ai.tool.name' in attributes || 'gen_ai.tool.call.id' in attributes) return 'TOOL';
  const hasModel = Object.keys(attributes).some((key) => /(^|\.)model(\.name)?$/.test(key));
  return hasModel ? 'GENERATION' : 'SPAN';
}

/** If either of Langfuse's own is there, nothing else is consulted. */
function contentOf(attributes: Fields): readonly [unknown, unknown] {
  for (const [input, output] of [
    ['langfuse.observation.input', 'langfuse.observation.output'],
    ['input.value', 'output.value'],
    ['gen_ai.input.messages', 'gen_ai.output.messages'],
    ['gen_ai.tool.call.arguments', 'gen_ai.tool.call.result'],
  ] as const) {
    if (attributes[input] !== undefined || attributes[output] !== undefined) {
      return [attributes[input], attributes[output]];
    }
  }
  return [undefined, undefined];
}

function shown(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return parsed(value) ?? value;
}

function parsed(text: unknown): unknown {
  // What is no string is not read.
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function objectOf(text: unknown): Fields {
  const value = parsed(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Values are strings and numbers; what else there is becomes JSON. */
function parametersOf(attributes: Fields): Fields {
  const own = attributes['langfuse.observation.model.parameters'];
  const said =
    own === undefined
      ? Object.entries(attributes).flatMap(([key, value]) =>
          key.startsWith('gen_ai.request.') && key !== 'gen_ai.request.model' ? [[key.slice(15), value]] : [],
        )
      : Object.entries(objectOf(own));
  return Object.fromEntries(
    said.map(([key, value]) => [key, ['string', 'number'].includes(typeof value) ? value : JSON.stringify(value)]),
  ) as Fields;
}

const GEN_AI_USAGE = 'gen_ai.usage.';
const CONVENTIONS: Readonly<Record<string, string>> = {
  input_tokens: 'input',
  output_tokens: 'output',
  total_tokens: 'total',
  'cache_read.input_tokens': 'input_cached_tokens',
  'cache_creation.input_tokens': 'input_cache_creation',
  'reasoning.output_tokens': 'output_reasoning_tokens',
};

/** Langfuse's own buckets as they are; of the conventions' figures, parts are taken off the wholes. */
function usageOf(attributes: Fields): Readonly<Record<string, number>> {
  const own = attributes['langfuse.observation.usage_details'];
  if (own !== undefined) return numbersOf(objectOf(own));
  const figures = Object.entries(attributes).filter(
    ([key]) => key.startsWith(GEN_AI_USAGE) && key !== `${GEN_AI_USAGE}cost`,
  );
  const buckets: Record<string, number> = {};
  for (const [key, value] of figures) {
    const figure = key.slice(GEN_AI_USAGE.length);
    buckets[CONVENTIONS[figure] ?? figure] = Number(value);
  }
  const { input, output, input_cached_tokens = 0, input_cache_creation = 0, output_reasoning_tokens = 0 } = buckets;
  if (input !== undefined) buckets['input'] = Math.max(0, input - input_cached_tokens - input_cache_creation);
  if (output !== undefined) buckets['output'] = Math.max(0, output - output_reasoning_tokens);
  return buckets;
}

function costOf(attributes: Fields): Readonly<Record<string, number>> {
  const own = attributes['langfuse.observation.cost_details'];
  if (own !== undefined) return numbersOf(objectOf(own));
  const cost = attributes['gen_ai.usage.cost'] ?? attributes['llm.cost.total'];
  return cost === undefined ? {} : { total: Number(cost) };
}

function numbersOf(fields: Fields): Readonly<Record<string, number>> {
  const numbers = Object.entries(fields).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return Object.fromEntries(numbers);
}

/** The whole as JSON, then single keys. */
function metadataOf(attributes: Fields, domain: 'observation' | 'trace'): Fields {
  const whole = `langfuse.${domain}.metadata`;
  const single = Object.entries(attributes).flatMap(([key, value]) =>
    key.startsWith(`${whole}.`) ? [[key.slice(whole.length + 1), value] as const] : [],
  );
  return { ...objectOf(attributes[whole]), ...Object.fromEntries(single) };
}

function environmentOf(attributes: Fields, resource: Fields): string {
  const keys = ['langfuse.environment', 'deployment.environment.name', 'deployment.environment'];
  const said = keys.map((key) => attributes[key] ?? resource[key]).find((value) => value !== undefined);
  const environment = String(said ?? 'default').toLowerCase();
  return /^(?!langfuse)[a-z0-9_-]{1,40}$/.test(environment) ? environment : 'default';
}

function tagsOf(tags: unknown): readonly string[] {
  if (Array.isArray(tags)) return tags.map(String);
  const list = parsed(tags);
  if (Array.isArray(list)) return list.map(String);
  return typeof tags === 'string' ? tags.split(',').map((tag) => tag.trim()) : [];
}

const known = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));
const publicOf = (value: unknown): boolean | undefined =>
  value === undefined ? undefined : value === true || value === 'true';

function dateText(value: unknown): string | undefined {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

/** What `/api/public/ingestion` makes of the events of classic clients: creations and updates of one id are one row. */
export function ingested(batches: readonly Fields[]): {
  readonly traces: readonly Fields[];
  readonly observations: readonly FakeObservation[];
} {
  const events = batches.flatMap(({ batch }) => batch as readonly { type: string; body: Fields }[]);
  const traces = merged(events.filter(({ type }) => type === 'trace-create'));
  const rows = merged(events.filter(({ type }) => /^(span|generation|event)-(create|update)$/.test(type)));
  return { traces, observations: rows.map((row) => fromIngestion(row, traces)) };
}

function merged(events: readonly { readonly type: string; readonly body: Fields }[]): readonly Fields[] {
  const rows = new Map<unknown, Fields>();
  for (const { type, body } of events) {
    const given = Object.entries(body).filter(([, value]) => value !== undefined && value !== null);
    rows.set(body['id'], { type: type.split('-')[0], ...rows.get(body['id']), ...Object.fromEntries(given) });
  }
  return [...rows.values()];
}

function fromIngestion(row: Fields, traces: readonly Fields[]): FakeObservation {
  const trace = traces.find(({ id }) => id === row['traceId']) ?? {};
  const text = (name: string, from = row): string | undefined => known(from[name]);
  return {
    id: String(row['id']),
    traceId: String(row['traceId']),
    parentId: text('parentObservationId'),
    type: String(row['type']).toUpperCase(),
    name: String(row['name']),
    startedAt: nanosOf(String(row['startTime'])),
    endedAt: nanosOf(String(row['endTime'])),
    level: text('level') ?? 'DEFAULT',
    statusMessage: text('statusMessage'),
    input: row['input'],
    output: row['output'],
    model: text('model'),
    modelParameters: (row['modelParameters'] ?? {}) as Fields,
    usageDetails: numbersOf((row['usageDetails'] ?? {}) as Fields),
    costDetails: numbersOf((row['costDetails'] ?? {}) as Fields),
    completionStartTime: dateText(row['completionStartTime']),
    promptName: text('promptName'),
    promptVersion: row['promptVersion'] === undefined ? undefined : Number(row['promptVersion']),
    metadata: { ...(row['metadata'] as Fields), ...(trace['metadata'] as Fields | undefined) },
    environment: text('environment') ?? 'default',
    release: text('release', trace),
    version: text('version'),
    userId: text('userId', trace),
    sessionId: text('sessionId', trace),
    tags: tagsOf(trace['tags']),
    traceName: text('name', trace),
    isPublic: publicOf(trace['public']),
  };
}

/** ISO 8601 with up to nine digits behind the point. */
export function nanosOf(iso: string): bigint {
  const [, seconds = '', fraction = ''] = /^([^.]*)(?:\.(\d+))?Z$/.exec(iso) ?? [];
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Langfuse's totals: every bucket that begins so, and nothing where there is none. */
export function tokensOf({ usageDetails }: FakeObservation, what: 'input' | 'output'): number | undefined {
  const buckets = Object.entries(usageDetails).filter(([bucket]) => bucket.startsWith(what));
  return buckets.length === 0 ? undefined : buckets.reduce((sum, [, tokens]) => sum + tokens, 0);
}

/** Dollars per token of Claude Sonnet 4.5 in Langfuse's table; a bucket that is not in it costs nothing. */
const PRICES: Readonly<Record<string, number>> = {
  input: 3e-6,
  input_tokens: 3e-6,
  output: 15e-6,
  output_tokens: 15e-6,
  input_cached_tokens: 0.3e-6,
  input_cache_read: 0.3e-6,
  cache_read_input_tokens: 0.3e-6,
  input_cache_creation: 3.75e-6,
  cache_creation_input_tokens: 3.75e-6,
  input_cache_creation_5m: 3.75e-6,
  input_cache_creation_1h: 6e-6,
};

/** What was said, else what the table of prices makes of the buckets; nothing without either. */
export function priceOf({ usageDetails, costDetails }: FakeObservation): number | undefined {
  if (costDetails['total'] !== undefined) return costDetails['total'];
  const buckets = Object.entries(usageDetails);
  if (buckets.length === 0) return undefined;
  return buckets.reduce((sum, [bucket, tokens]) => sum + tokens * (PRICES[bucket] ?? 0), 0);
}

export const PUBLIC_KEY = 'pk-lf-11111111';
export const SECRET_KEY = 'sk-lf-22222222';

/** A collector that turns away what Langfuse turns away: other keys with 401, an unknown ingestion version with 400. */
export async function startFakeLangfuse(): Promise<Collector> {
  const collector = await startCollector();
  const keys = `Basic ${Buffer.from(`${PUBLIC_KEY}:${SECRET_KEY}`).toString('base64')}`;
  collector.behave(
    { kind: 'status', status: 401, body: '{"message":"Invalid credentials. Confirm that you\'ve configured the correct host."}' },
    { when: ({ headers }) => headers['authorization'] !== keys },
  );
  collector.behave(
    { kind: 'status', status: 400, body: '{"message":"Unsupported ingestion version"}' },
    { when: ({ headers }) => !(Number(headers['x-langfuse-ingestion-version'] ?? 4) <= 4) },
  );
  return collector;
}

/** The base of a classic client: the collector serves what ends in `/v1/traces`, and the client appends its own path. */
export function clientBaseUrl({ url }: Pick<Collector, 'url'>): string {
  return `${url}/v1/traces?classic=`;
}

/** What classic clients have sent. */
export function clientBatches({ requests }: Pick<Collector, 'requests'>): readonly Fields[] {
  return requests.flatMap(({ isAccepted, decoded, path }) =>
    isAccepted && decoded !== undefined && path.endsWith('/api/public/ingestion') ? [decoded] : [],
  );
}
