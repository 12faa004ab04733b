import { given } from '../model/given.ts';
import type { CapturedSpan, ContentSizes } from '../model/sink.ts';
import type {
  AgentSpan,
  Attributes,
  AttributeValue,
  Issue,
  LlmSpan,
  Span,
  SpanError,
  SpanEvent,
  ToolSpan,
} from '../model/span.ts';
import { captureMessages, messageBytes } from './messages.ts';
import type { CapturePolicy } from './policy.ts';
import { contentBytes, TextCleaner } from './text.ts';
import { truncateText } from './truncate.ts';

const TRUNCATED: Issue = Object.freeze({
  code: 'truncated',
  message: 'A text was longer than the capture policy keeps; contentBytes has the original size.',
});
const REDACT_FAILED: Issue = Object.freeze({
  code: 'redact_failed',
  message: 'A text was dropped because redact() threw or did not return a string.',
});

/** Names longer than this are no names. UTF-8 bytes. */
const MAX_NAME_BYTES = 256;

interface Captured {
  /** The content fields that may be seen. */
  readonly fields: Record<string, unknown>;
  readonly sizes: ContentSizes;
}

/** The only maker of captured spans: a copy without what the policy keeps back, and with what is left cleaned. Never throws. */
export function applyCapture<S extends Span>(span: S, policy: CapturePolicy): CapturedSpan<S> {
  const cleaner = new TextCleaner(policy);
  const { fields, sizes } = captureContent(span, policy, cleaner);
  const captured = {
    ...span,
    ...CONTENT_GONE[span.kind],
    ...names(span),
    ...fields,
    ...(span.error === undefined ? {} : { error: captureError(span.error, policy, cleaner) }),
    events: span.events.length === 0 ? span.events : span.events.map((event) => captureEvent(event, policy, cleaner)),
    attributes: captureAttributes(span.attributes, cleaner),
    contentBytes: sizes,
  };
  const issues = [
    ...span.issues,
    ...(cleaner.wasTruncated ? [TRUNCATED] : []),
    ...(cleaner.wasDropped ? [REDACT_FAILED] : []),
  ];
  return withoutUndefined({ ...captured, issues }) as unknown as CapturedSpan<S>;
}

/** What no span of that kind keeps unless the policy puts it back. */
const CONTENT_GONE = {
  agent: { input: undefined, output: undefined, cwd: undefined },
  llm: { input: undefined, output: undefined, systemInstructions: undefined, toolDefinitions: undefined },
  tool: { input: undefined, output: undefined },
  permission: {},
  hook: {},
  custom: {},
} as const satisfies Record<Span['kind'], object>;

function captureContent(span: Span, policy: CapturePolicy, cleaner: TextCleaner): Captured {
  switch (span.kind) {
    case 'agent':
      return captureAgent(span, policy, cleaner);
    case 'llm':
      return captureLlm(span, policy, cleaner);
    case 'tool':
      return captureTool(span, policy, cleaner);
    case 'permission':
    case 'hook':
    case 'custom':
      return { fields: {}, sizes: {} };
  }
}

function captureAgent(span: AgentSpan, policy: CapturePolicy, cleaner: TextCleaner): Captured {
  const { input, output, cwd } = span;
  return {
    fields: {
      ...given('input', input && captureMessages(input, { policy, cleaner, words: policy.prompts })),
      ...given('output', output && captureMessages(output, { policy, cleaner, words: policy.outputs })),
      ...given('cwd', cwd !== undefined && policy.location ? cleaner.text(cwd) : undefined),
    },
    sizes: { ...given('input', input && messageBytes(input)), ...given('output', output && messageBytes(output)) },
  };
}

function captureLlm(span: LlmSpan, policy: CapturePolicy, cleaner: TextCleaner): Captured {
  const { input, output, systemInstructions, toolDefinitions } = span;
  const hasSystem = policy.systemInstructions;
  return {
    fields: {
      ...given('input', input && captureMessages(input, { policy, cleaner, words: policy.prompts })),
      ...given('output', output && captureMessages(output, { policy, cleaner, words: policy.outputs })),
      ...given('systemInstructions', hasSystem ? systemInstructions?.map((text) => cleaner.text(text)) : undefined),
      ...given('toolDefinitions', hasSystem && toolDefinitions ? cleaner.json(toolDefinitions) : undefined),
    },
    sizes: {
      ...given('input', input && messageBytes(input)),
      ...given('output', output && messageBytes(output)),
      ...given('systemInstructions', systemInstructions && contentBytes(systemInstructions)),
      ...given('toolDefinitions', toolDefinitions && contentBytes(toolDefinitions)),
    },
  };
}

function captureTool(span: ToolSpan, policy: CapturePolicy, cleaner: TextCleaner): Captured {
  const { input, output, toolName } = span;
  return {
    fields: {
      ...given('input', input !== undefined && policy.toolInputs(toolName) ? cleaner.json(input) : undefined),
      ...given('output', output !== undefined && policy.toolOutputs(toolName) ? cleaner.json(output) : undefined),
    },
    sizes: {
      ...given('input', input === undefined ? undefined : contentBytes(input)),
      ...given('output', output === undefined ? undefined : contentBytes(output)),
    },
  };
}

function captureError(error: SpanError, policy: CapturePolicy, cleaner: TextCleaner): SpanError {
  const type = shortName(error.type);
  return { type, message: policy.errors ? cleaner.text(error.message) : type };
}

function captureEvent(event: SpanEvent, policy: CapturePolicy, cleaner: TextCleaner): SpanEvent {
  const { content, ...rest } = event;
  const attributes = captureAttributes(event.attributes, cleaner);
  if (content === undefined || !policy.errors) return { ...rest, attributes };
  return { ...rest, attributes, content: cleaner.text(content) };
}

/** Attributes are the user's own words to his backend: kept, but no secret leaves in them. */
function captureAttributes(attributes: Attributes, cleaner: TextCleaner): Attributes {
  let cleaned: Record<string, AttributeValue> | undefined;
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== 'string') continue;
    const text = cleaner.text(value);
    if (text === value) continue;
    cleaned ??= { ...attributes };
    cleaned[name] = text;
  }
  return cleaned ?? attributes;
}

/** Names are metadata as long as they are names: what a model made up as a tool's or an agent's name can be anything. */
function names(span: Span): object {
  switch (span.kind) {
    case 'agent':
      return { agentName: shortName(span.agentName) };
    case 'llm':
      return { agentName: shortName(span.agentName) };
    case 'tool':
      return { agentName: shortName(span.agentName), toolName: shortName(span.toolName) };
    case 'permission':
      return { toolName: shortName(span.toolName) };
    case 'hook':
      return { hookName: shortName(span.hookName) };
    case 'custom':
      return { name: shortName(span.name) };
  }
}

function shortName(name: string): string {
  return truncateText(name, MAX_NAME_BYTES);
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(fields)) if (fields[name] === undefined) delete fields[name];
  return fields;
}
