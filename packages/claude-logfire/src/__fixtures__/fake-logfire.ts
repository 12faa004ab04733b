/**
 * Logfire as its documentation describes it, over what its endpoint was sent. Written from the pages "SQL" (columns of `records`),
 * "LLMs and Providers" (what drives each column), "Agents", "LLM panels" and "Alternative clients" of its documentation, and from
 * what its own SDKs send; never from the dialect under test.
 */
import { type CollectedSpan, type Collector, startCollector } from '@spanprism/testkit';

/** A row of `records_full`; times in nanoseconds. */
export interface LogfireRecord {
  readonly kind: 'span' | 'log' | 'pending_span';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly spanName: string;
  readonly message: string;
  readonly level: number;
  readonly tags: readonly string[];
  /** What the JSON schema names is parsed; everything else is as it came. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly otelStatusCode: 'UNSET' | 'OK' | 'ERROR';
  readonly otelStatusMessage: string;
  readonly exception: { readonly type: unknown; readonly message: unknown } | undefined;
  readonly serviceName: unknown;
  readonly deploymentEnvironment: unknown;
  readonly scopeName: string;
}

/** A span as it reaches Logfire, whoever sent it. */
export type SentSpan = Pick<
  CollectedSpan,
  'traceId' | 'spanId' | 'parentSpanId' | 'name' | 'startedAt' | 'endedAt' | 'status' | 'attributes' | 'events'
> &
  Pick<CollectedSpan, 'resource' | 'scope'>;

const STATUS_CODES = ['UNSET', 'OK', 'ERROR'] as const;

/** "This will not be kept in the `attributes` column." */
const COLUMNS = ['logfire.msg', 'logfire.level_num', 'logfire.tags', 'logfire.span_type', 'logfire.json_schema'];
const ZERO_ID = '0'.repeat(16);

/** `records_full`: pending spans as well. */
export function recordsFull(spans: readonly SentSpan[]): readonly LogfireRecord[] {
  return spans.map(recordOf);
}

/** `records`: "a subset" without pending spans. */
export function records(spans: readonly SentSpan[]): readonly LogfireRecord[] {
  return recordsFull(spans).filter(({ kind }) => kind !== 'pending_span');
}

function recordOf(span: SentSpan): LogfireRecord {
  const { attributes: sent, resource } = span;
  const exception = span.events.find(({ name }) => name === 'exception');
  const tags = sent['logfire.tags'];
  const otelStatusCode = STATUS_CODES[span.status.code] ?? 'UNSET';
  return {
    kind: (sent['logfire.span_type'] as LogfireRecord['kind'] | undefined) ?? 'span',
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    spanName: span.name,
    message: String(sent['logfire.msg'] ?? span.name),
    // "Spans with a status code of ERROR will have a level of error, otherwise the level is set to info."
    level: Number(sent['logfire.level_num'] ?? (otelStatusCode === 'ERROR' ? 17 : 9)),
    tags: Array.isArray(tags) ? tags.map(String) : [],
    attributes: parsedAttributes(sent),
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    otelStatusCode,
    otelStatusMessage: span.status.message,
    exception: exception && {
      type: exception.attributes['exception.type'],
      message: exception.attributes['exception.message'],
    },
    serviceName: resource['service.name'],
    deploymentEnvironment: resource['deployment.environment.name'] ?? resource['deployment.environment'],
    scopeName: span.scope.name,
  };
}

function parsedAttributes(sent: SentSpan['attributes']): LogfireRecord['attributes'] {
  const schema = sent['logfire.json_schema'];
  const { properties = {} } = (schema === undefined ? {} : JSON.parse(String(schema))) as {
    properties?: Record<string, { type?: string }>;
  };
  const entries = Object.entries(sent)
    .filter(([key]) => !COLUMNS.includes(key))
    .map(([key, value]) => [key, key in properties ? parsed(key, value, properties[key]?.type) : value] as const);
  for (const key of Object.keys(properties)) {
    if (!(key in sent)) throw new Error(`the schema speaks of ${key}, which is not there`);
  }
  return Object.fromEntries(entries);
}

/** Something that is not what the schema says of it is shown to nobody. */
function parsed(key: string, value: unknown, type: string | undefined): unknown {
  const json: unknown = typeof value === 'string' && (type === 'array' || type === 'object') ? JSON.parse(value) : value;
  const found = Array.isArray(json) ? 'array' : typeof json;
  if (found !== type) throw new Error(`the schema calls ${key} ${type}, but it is ${found}`);
  return json;
}

/** Spans that run as far as Logfire knows: pending ones whose span has not come yet, with the parent that they name. */
export function running(all: readonly LogfireRecord[]): readonly LogfireRecord[] {
  const done = new Set(all.filter(({ kind }) => kind !== 'pending_span').map(({ spanId }) => spanId));
  return all
    .filter(({ kind, parentSpanId }) => kind === 'pending_span' && !done.has(parentSpanId ?? ''))
    .map((pending) => {
      const parent = String(pending.attributes['logfire.pending_parent_id']);
      return { ...pending, spanId: pending.parentSpanId ?? '', parentSpanId: parent === ZERO_ID ? undefined : parent };
    });
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** One row of the LLMs page: one pair of provider and model. */
export interface LlmRow {
  readonly provider: string;
  readonly model: string;
  readonly calls: number;
  readonly errors: number;
  readonly input: number;
  readonly output: number;
  readonly cost: number;
  readonly truncated: number;
  /** Seconds; from the dashboards. */
  readonly timesToFirstChunk: readonly number[];
}

const providerOf = ({ attributes }: LogfireRecord): unknown =>
  attributes['gen_ai.system'] ?? attributes['gen_ai.provider.name'];

/** "Calls: count of spans where the provider attribute is set", and so on, column by column. */
export function llmsPage(all: readonly LogfireRecord[]): readonly LlmRow[] {
  const calls = all.filter((record) => providerOf(record) !== undefined);
  const keyOf = (call: LogfireRecord): string => `${String(providerOf(call))} ${String(call.attributes['gen_ai.request.model'])}`;
  return [...new Set(calls.map(keyOf))].map((key): LlmRow => {
    const group = calls.filter((call) => keyOf(call) === key);
    const sum = (of: (record: LogfireRecord) => number): number => group.reduce((total, one) => total + of(one), 0);
    const [first] = group;
    return {
      provider: String(first && providerOf(first)),
      model: String(first?.attributes['gen_ai.request.model']),
      calls: group.length,
      errors: group.filter((one) => one.otelStatusCode === 'ERROR' || one.exception !== undefined).length,
      input: sum(({ attributes }) => numberOf(attributes['gen_ai.usage.input_tokens'])),
      output: sum(({ attributes }) => numberOf(attributes['gen_ai.usage.output_tokens'])),
      cost: sum(costOf),
      truncated: group.filter(({ attributes }) => listOf(attributes['gen_ai.response.finish_reasons']).includes('length'))
        .length,
      timesToFirstChunk: group.flatMap(({ attributes }) => {
        const seconds = attributes['gen_ai.client.operation.time_to_first_chunk'];
        return typeof seconds === 'number' ? [seconds] : [];
      }),
    };
  });
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** "`operation.cost` if set, else computed from tokens", which is not done here; "Cost is forced to 0" without tokens. */
function costOf({ attributes }: LogfireRecord): number {
  const hasTokens =
    attributes['gen_ai.usage.input_tokens'] !== undefined && attributes['gen_ai.usage.output_tokens'] !== undefined;
  return hasTokens ? numberOf(attributes['operation.cost']) : 0;
}

/** The badge of a span: its own usage, else, with a ∑, "the sum of token usages across all descendants". */
export interface Badge {
  readonly isSum: boolean;
  readonly input: number;
  readonly output: number;
  readonly cost: number;
}

export function badgeOf(record: LogfireRecord, all: readonly LogfireRecord[]): Badge {
  const own = (one: LogfireRecord): boolean =>
    one.attributes['gen_ai.usage.input_tokens'] !== undefined || one.attributes['gen_ai.usage.output_tokens'] !== undefined;
  const counted = own(record) ? [record] : descendants(record, all).filter(own);
  const sum = (of: (one: LogfireRecord) => number): number => counted.reduce((total, one) => total + of(one), 0);
  return {
    isSum: !own(record),
    input: sum(({ attributes }) => numberOf(attributes['gen_ai.usage.input_tokens'])),
    output: sum(({ attributes }) => numberOf(attributes['gen_ai.usage.output_tokens'])),
    cost: sum(costOf),
  };
}

function descendants(record: LogfireRecord, all: readonly LogfireRecord[]): readonly LogfireRecord[] {
  const children = all.filter(({ traceId, parentSpanId }) => traceId === record.traceId && parentSpanId === record.spanId);
  return children.flatMap((child) => [child, ...descendants(child, all)]);
}

/** One run on the Agents page: any span with the operation `invoke_agent`. */
export interface AgentRun {
  readonly agent: unknown;
  readonly conversation: unknown;
  readonly model: unknown;
  readonly badge: Badge;
  /** The Tools tab: "all read from the gen_ai.* attributes on the agent span". */
  readonly tools: readonly unknown[];
  /** "If a run failed, a banner surfaces the exception". */
  readonly banner: LogfireRecord['exception'];
}

export function agentRuns(all: readonly LogfireRecord[]): readonly AgentRun[] {
  return all
    .filter(({ attributes }) => attributes['gen_ai.operation.name'] === 'invoke_agent')
    .map((record) => ({
      agent: record.attributes['gen_ai.agent.name'],
      conversation: record.attributes['gen_ai.conversation.id'],
      model: record.attributes['gen_ai.request.model'],
      badge: badgeOf(record, all),
      tools: listOf(record.attributes['gen_ai.tool.definitions']).map((tool) => (tool as { name: unknown }).name),
      banner: record.exception,
    }));
}

/** The LLM panel: messages in the conventions' parts; else, as of older integrations, `request_data` and `response_data`. */
export interface Panel {
  readonly system: readonly unknown[];
  readonly messages: readonly unknown[];
}

export function panelOf({ attributes }: LogfireRecord): Panel {
  const messages = [...listOf(attributes['gen_ai.input.messages']), ...listOf(attributes['gen_ai.output.messages'])];
  return messages.length > 0
    ? { system: listOf(attributes['gen_ai.system_instructions']), messages }
    : legacyPanelOf(attributes);
}

export function legacyPanelOf(attributes: LogfireRecord['attributes']): Panel {
  const request = (attributes['request_data'] ?? {}) as { messages?: unknown[]; system?: unknown[] };
  const response = (attributes['response_data'] ?? {}) as { message?: unknown };
  const answer = response.message === undefined ? [] : [response.message];
  return { system: request.system ?? [], messages: [...(request.messages ?? []), ...answer] };
}

/** A Logfire of one region, which knows one token: the `authorization` header is the token alone. */
export async function startFakeLogfire(token: string): Promise<Collector> {
  const collector = await startCollector();
  collector.behave(
    { kind: 'status', status: 401, body: '{"detail":"unknown token"}' },
    { when: ({ headers }) => headers['authorization'] !== token },
  );
  return collector;
}
