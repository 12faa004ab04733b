import { collectAttributes, putUserAttributes } from '@spanprism/core/dialect';
import type { DialectAttributes } from '@spanprism/core/dialect';
import type { Attributes, AttributeValue } from '@spanprism/core';

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

/** Where attributes of spans hold them: under Langfuse's documented names, except where tracing has a name of its own. */
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

type TraceFields = { readonly [K in keyof typeof TRACE_KEYS]?: AttributeValue | undefined };

/**
 * As attributes of spans, for `createTracing({ attributes })` or for a part of the program:
 * `tracing.withAttributes(langfuseAttributes({ sessionId }), () => …)`.
 */
export function langfuseAttributes({ metadata, prompt, tags, ...given }: LangfuseTraceOptions): Attributes {
  // Nothing to link to: the client could not reach Langfuse, and gave what the program itself had.
  const link = prompt?.isFallback === true ? undefined : prompt;
  const said = { ...given, tags: tags && JSON.stringify(tags), promptName: link?.name, promptVersion: link?.version };
  const fields = collectAttributes((into) => {
    for (const field of names) into.put(TRACE_KEYS[field], said[field]);
  });
  return { ...metadata, ...(fields as Attributes) };
}

const names = Object.keys(TRACE_KEYS) as (keyof typeof TRACE_KEYS)[];
const KEYS: ReadonlySet<string> = new Set(Object.values(TRACE_KEYS));

/** The other way round; every other attribute of the user's is metadata. */
export function traceFieldsOf(attributes: Attributes): {
  readonly fields: TraceFields;
  readonly metadata: DialectAttributes;
} {
  const others = Object.entries(attributes).filter(([key]) => !KEYS.has(key));
  const metadata = collectAttributes((into) => putUserAttributes(Object.fromEntries(others), into));
  const fields = names.flatMap((field) =>
    TRACE_KEYS[field] in attributes ? [[field, attributes[TRACE_KEYS[field]]]] : [],
  );
  return { fields: Object.fromEntries(fields) as TraceFields, metadata };
}
