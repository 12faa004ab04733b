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
import { captureMessages, type MessageView, messageBytes } from './messages.ts';
import type { CapturePolicy } from './policy.ts';
import { contentBytes, TextCleaner } from './text.ts';

const TRUNCATED: Issue = Object.freeze({
  code: 'truncated',
  message: 'A text was longer than the capture policy keeps; contentBytes has the original size.',
});
const REDACT_FAILED: Issue = Object.freeze({
  code: 'redact_failed',
  message: 'A text was dropped because redact() threw or did not return a string.',
});

type Sized<S extends Span> = S & { readonly contentBytes: ContentSizes };

/** The only maker of captured spans: a copy without what the policy keeps back, and with what is left cleaned. Never throws. */
export function applyCapture<S extends Span>(span: S, policy: CapturePolicy): CapturedSpan<S> {
  const cleaner = new TextCleaner(policy);
  const captured = captureKind(span, { policy, cleaner });
  const cleaned = {
    ...captured,
    ...(span.error === undefined ? {} : { error: captureError(span.error, { policy, cleaner }) }),
    events:
      span.events.length === 0 ? span.events : span.events.map((event) => captureEvent(event, { policy, cleaner })),
    attributes: captureAttributes(span.attributes, cleaner),
    issues: span.issues,
  };
  if (cleaner.wasTruncated) cleaned.issues = [...cleaned.issues, TRUNCATED];
  if (cleaner.wasDropped) cleaned.issues = [...cleaned.issues, REDACT_FAILED];
  return cleaned as unknown as CapturedSpan<S>;
}

function captureKind(span: Span, view: MessageView): Sized<Span> {
  const { cleaner } = view;
  switch (span.kind) {
    case 'agent':
      return captureAgent(span, view);
    case 'llm':
      return captureLlm(span, view);
    case 'tool':
      return captureTool(span, view);
    case 'permission':
      return { ...span, toolName: cleaner.name(span.toolName), contentBytes: {} };
    case 'hook':
      return { ...span, hookName: cleaner.name(span.hookName), contentBytes: {} };
    case 'custom':
      return { ...span, name: cleaner.name(span.name), contentBytes: {} };
  }
}

function captureAgent(span: AgentSpan, view: MessageView): Sized<AgentSpan> {
  const { input, output, cwd, ...rest } = span;
  const { policy, cleaner } = view;
  return {
    ...rest,
    agentName: cleaner.name(span.agentName),
    ...given('input', input && captureMessages(input, view)),
    ...given('output', output && captureMessages(output, view)),
    ...given('cwd', cwd !== undefined && policy.location ? cleaner.text(cwd) : undefined),
    contentBytes: {
      ...given('input', input && messageBytes(input)),
      ...given('output', output && messageBytes(output)),
    },
  };
}

function captureLlm(span: LlmSpan, view: MessageView): Sized<LlmSpan> {
  const { input, output, systemInstructions, toolDefinitions, ...rest } = span;
  const { policy, cleaner } = view;
  const hasSystem = policy.systemInstructions;
  return {
    ...rest,
    agentName: cleaner.name(span.agentName),
    ...given('input', input && captureMessages(input, view)),
    ...given('output', output && captureMessages(output, view)),
    ...given('systemInstructions', hasSystem ? systemInstructions?.map((text) => cleaner.text(text)) : undefined),
    ...given(
      'toolDefinitions',
      hasSystem && toolDefinitions ? (cleaner.json(toolDefinitions) as typeof toolDefinitions) : undefined,
    ),
    contentBytes: {
      ...given('input', input && messageBytes(input)),
      ...given('output', output && messageBytes(output)),
      ...given('systemInstructions', systemInstructions && contentBytes(systemInstructions)),
      ...given('toolDefinitions', toolDefinitions && contentBytes(toolDefinitions)),
    },
  };
}

function captureTool(span: ToolSpan, { policy, cleaner }: MessageView): Sized<ToolSpan> {
  const { input, output, ...rest } = span;
  return {
    ...rest,
    toolName: cleaner.name(span.toolName),
    agentName: cleaner.name(span.agentName),
    ...given('input', input !== undefined && policy.toolInputs(span.toolName) ? cleaner.json(input) : undefined),
    ...given('output', output !== undefined && policy.toolOutputs(span.toolName) ? cleaner.json(output) : undefined),
    contentBytes: {
      ...given('input', input === undefined ? undefined : contentBytes(input)),
      ...given('output', output === undefined ? undefined : contentBytes(output)),
    },
  };
}

function captureError(error: SpanError, { policy, cleaner }: MessageView): SpanError {
  const type = cleaner.name(error.type);
  return { type, message: policy.errors ? cleaner.text(error.message) : type };
}

function captureEvent(event: SpanEvent, { policy, cleaner }: MessageView): SpanEvent {
  const { content, ...rest } = event;
  const attributes = captureAttributes(event.attributes, cleaner);
  if (content === undefined || !policy.errors) return { ...rest, attributes };
  return { ...rest, attributes, content: cleaner.text(content) };
}

/** Attributes are the user's own words to his backend: kept, but no secret leaves in them. */
function captureAttributes(attributes: Attributes, cleaner: TextCleaner): Attributes {
  let cleaned: Record<string, AttributeValue> | undefined;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (typeof value !== 'string') continue;
    const text = cleaner.text(value);
    if (text === value) continue;
    cleaned ??= { ...attributes };
    cleaned[name] = text;
  }
  return cleaned ?? attributes;
}
