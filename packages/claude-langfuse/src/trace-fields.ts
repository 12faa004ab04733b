import { collectAttributes, putUserAttributes, userTags } from '@spanprism/core/dialect';
import type { DialectAttributes, DialectValue } from '@spanprism/core/dialect';
import type { Attributes } from '@spanprism/core';

/** What Langfuse knows of a trace beyond its observations. */
export interface LangfuseTraceOptions {
  readonly userId?: string;
  /** Langfuse's session; Claude's own unless given. */
  readonly sessionId?: string;
  readonly tags?: readonly string[];
  /** That of the trace's first observation unless given. */
  readonly traceName?: string;
  /** Of your program, to compare versions by. */
  readonly version?: string;
  /** Whether whoever has the link may see the trace. */
  readonly public?: boolean;
  readonly metadata?: Attributes;
  /** A prompt of Langfuse's prompt management, as its clients give it: the calls of models link to it. */
  readonly prompt?: { readonly name: string; readonly version: number; readonly isFallback?: boolean };
}

/** Where attributes of spans have them: under Langfuse's documented names, except where tracing has a name of its own. */
export const TRACE_KEYS = {
  userId: 'user.id',
  sessionId: 'session.id',
  tags: 'tags',
  traceName: 'langfuse.trace.name',
  version: 'langfuse.version',
  public: 'langfuse.trace.public',
  promptName: 'langfuse.observation.prompt.name',
  promptVersion: 'langfuse.observation.prompt.version',
} as const;

type Field = keyof typeof TRACE_KEYS;
const FIELDS = Object.entries(TRACE_KEYS) as readonly (readonly [Field, string])[];
const KEYS: ReadonlySet<string> = new Set(Object.values(TRACE_KEYS));

/**
 * As attributes of spans, for `createTracing({ attributes })` or for a part of the program:
 * `tracing.withAttributes(langfuseAttributes({ sessionId }), () => …)`.
 */
export function langfuseAttributes({ metadata, prompt, tags, ...given }: LangfuseTraceOptions): Attributes {
  // There is nothing to link to where the client could not reach Langfuse and gave what the program itself had.
  const link = prompt?.isFallback === true ? undefined : prompt;
  const said = { ...given, tags: tags && JSON.stringify(tags), promptName: link?.name, promptVersion: link?.version };
  const known = FIELDS.flatMap(([field, key]) => (said[field] === undefined ? [] : [[key, said[field]]]));
  return { ...metadata, ...(Object.fromEntries(known) as Attributes) };
}

type Fields<F extends Field> = { readonly [K in F]?: DialectValue | undefined };
type Prompt = 'promptName' | 'promptVersion';
type TraceFields = Fields<Exclude<Field, Prompt>> & { prompt: Fields<Prompt>; metadata: DialectAttributes };

/** The other way round; every other attribute is metadata. */
export function traceFieldsOf(attributes: Attributes): TraceFields {
  const others = Object.entries(attributes).filter(([key]) => !KEYS.has(key));
  const metadata = collectAttributes((into) => putUserAttributes(Object.fromEntries(others), into));
  const known: Fields<Field> = Object.fromEntries(FIELDS.map(([field, key]) => [field, attributes[key]]));
  const { promptName, promptVersion, ...trace } = known;
  return { ...trace, tags: userTags(attributes), prompt: { promptName, promptVersion }, metadata };
}
