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
import { copyAgent, copyLlm, copyTool, type Draft } from './copy-span.ts';
import { captureMessages, type MessageView, messageBytes } from './messages.ts';
import { cutGivenNames } from './given-names.ts';
import type { CapturePolicy } from './policy.ts';
import { contentBytes, TextCleaner } from './text.ts';

const TRUNCATED: Issue = Object.freeze({
  code: 'truncated',
  message:
    'A text was longer than the capture policy keeps, or a name than names are; contentBytes has the size of texts.',
});
const REDACT_FAILED: Issue = Object.freeze({
  code: 'redact_failed',
  message: 'A text was dropped because redact() threw or did not return a string.',
});

type Sizes = { -readonly [K in keyof ContentSizes]: ContentSizes[K] };
type Conversation = Pick<LlmSpan, 'input' | 'output'>;

interface SizedView extends MessageView {
  /** Where the sizes go. */
  readonly sizes: Sizes;
}

/** The only maker of captured spans: a copy without what the policy keeps back, and with what is left cleaned. Never throws. */
export function applyCapture<S extends Span>(span: S, policy: CapturePolicy): CapturedSpan<S> {
  const cleaner = new TextCleaner(policy);
  const view = { policy, cleaner };
  const captured = captureKind(span, view);
  if (span.error !== undefined) captured.error = captureError(span.error, view);
  if (span.events.length > 0) captured.events = span.events.map((event) => captureEvent(event, view));
  captured.attributes = captureAttributes(span.attributes, cleaner);
  const wasCut = cutGivenNames(captured);
  if (wasCut || cleaner.wasTruncated) captured.issues = [...captured.issues, TRUNCATED];
  if (cleaner.wasDropped) captured.issues = [...captured.issues, REDACT_FAILED];
  return captured as unknown as CapturedSpan<S>;
}

function captureKind(span: Span, view: MessageView): Draft<Span> {
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

function captureAgent(span: AgentSpan, view: MessageView): Draft<AgentSpan> {
  const { cwd } = span;
  const { policy, cleaner } = view;
  const sizes: Sizes = {};
  const captured = copyAgent(span, sizes);
  captured.agentName = cleaner.name(span.agentName);
  setMessages(captured, span, { policy, cleaner, sizes });
  if (cwd !== undefined && policy.location) captured.cwd = cleaner.text(cwd);
  return captured;
}

function captureLlm(span: LlmSpan, view: MessageView): Draft<LlmSpan> {
  const { systemInstructions, toolDefinitions } = span;
  const { policy, cleaner } = view;
  const sizes: Sizes = {};
  const captured = copyLlm(span, sizes);
  captured.agentName = cleaner.name(span.agentName);
  setMessages(captured, span, { policy, cleaner, sizes });
  if (systemInstructions !== undefined) {
    sizes.systemInstructions = contentBytes(systemInstructions);
    if (policy.systemInstructions) captured.systemInstructions = systemInstructions.map((text) => cleaner.text(text));
  }
  if (toolDefinitions !== undefined) {
    sizes.toolDefinitions = contentBytes(toolDefinitions);
    if (policy.systemInstructions) captured.toolDefinitions = cleaner.json(toolDefinitions) as typeof toolDefinitions;
  }
  return captured;
}
function captureTool(span: ToolSpan, { policy, cleaner }: MessageView): Draft<ToolSpan> {
  const { input, output, toolName } = span;
  const sizes: Sizes = {};
  const captured = copyTool(span, sizes);
  captured.toolName = cleaner.name(toolName);
  captured.agentName = cleaner.name(span.agentName);
  if (input !== undefined) {
    sizes.input = contentBytes(input);
    if (policy.toolInputs(toolName)) captured.input = cleaner.json(input);
  }
  if (output !== undefined) {
    sizes.output = contentBytes(output);
    if (policy.toolOutputs(toolName)) captured.output = cleaner.json(output);
  }
  return captured;
}

function setMessages(captured: Draft<AgentSpan> | Draft<LlmSpan>, span: Conversation, view: SizedView): void {
  const { input, output } = span;
  const { sizes } = view;
  if (input !== undefined) {
    sizes.input = messageBytes(input);
    const kept = captureMessages(input, view);
    if (kept !== undefined) captured.input = kept;
  }
  if (output !== undefined) {
    sizes.output = messageBytes(output);
    const kept = captureMessages(output, view);
    if (kept !== undefined) captured.output = kept;
  }
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
  if (attributes === plain && cleaner.policy === plainUnder) return attributes;
  let cleaned: Record<string, AttributeValue> | undefined;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (typeof value !== 'string') continue;
    const text = cleaner.text(value);
    if (text === value) continue;
    cleaned ??= { ...attributes };
    cleaned[name] = text;
  }
  if (cleaned !== undefined) return cleaned;
  plain = attributes;
  plainUnder = cleaner.policy;
  return attributes;
}

/** The attributes that had nothing to clean: most spans of a program share them. */
let plain: Attributes | undefined;
let plainUnder: CapturePolicy | undefined;
