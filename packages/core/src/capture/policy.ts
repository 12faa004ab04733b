import type { ByTool, CaptureFields, CaptureOptions } from '../model/capture-options.ts';
import { ConfigurationError } from '../model/configuration-error.ts';

export type ToolChoice = (toolName: string | undefined) => boolean;

/** What one sink may see, settled. */
export interface CapturePolicy {
  readonly prompts: boolean;
  readonly outputs: boolean;
  readonly thinking: boolean;
  /** A tool whose name is not known is seen only where every tool is. */
  readonly toolInputs: ToolChoice;
  readonly toolOutputs: ToolChoice;
  /** True when some tool's input or output may be seen. */
  readonly anyTool: { readonly inputs: boolean; readonly outputs: boolean };
  readonly systemInstructions: boolean;
  /** True when messages can hold anything that may be seen. */
  readonly anyContent: boolean;
  readonly errors: boolean;
  readonly location: boolean;
  readonly maxTextBytes: number;
  /** The user's own redaction, `createTracing`'s before the sink's. */
  readonly redact: readonly ((text: string) => string)[];
}

export interface CaptureContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of `createTracing`: applies to all sinks. */
  readonly redact?: (text: string) => string;
}

/** The switch of OpenTelemetry's GenAI instrumentations; a sink of ours writes content to spans only. */
const SWITCH = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
const SWITCH_VALUES: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  '1': true,
  '0': false,
  no_content: false,
  span_only: true,
  event_only: false,
  span_and_event: true,
};

const DEFAULT_MAX_TEXT_BYTES = 61_440;
const SWITCHES = ['prompts', 'outputs', 'thinking', 'systemInstructions', 'errors', 'location'] as const;
const TOOL_SWITCHES = ['toolInputs', 'toolOutputs'] as const;

/**
 * What a sink may see: what its options say, else what the user set in the environment, else metadata.
 * Throws a `ConfigurationError` for options that are none.
 */
export function resolveCapture(options: CaptureOptions | undefined, context: CaptureContext): CapturePolicy {
  const fields = fieldsOf(options === undefined ? fromEnvironment(context.environment) : options);
  const anyTool = { inputs: isEverTrue(fields.toolInputs), outputs: isEverTrue(fields.toolOutputs) };
  const { prompts = false, outputs = false, systemInstructions = false } = fields;
  const redact = [context.redact, fields.redact].filter((one) => one !== undefined);
  return {
    prompts,
    outputs,
    thinking: fields.thinking ?? false,
    toolInputs: byTool(fields.toolInputs),
    toolOutputs: byTool(fields.toolOutputs),
    anyTool,
    systemInstructions,
    anyContent: prompts || outputs || systemInstructions || anyTool.inputs || anyTool.outputs,
    errors: fields.errors ?? false,
    location: fields.location ?? false,
    maxTextBytes: fields.maxTextBytes ?? DEFAULT_MAX_TEXT_BYTES,
    redact,
  };
}

/** What at least one sink will see. */
export function contentNeeds(policies: readonly CapturePolicy[]): {
  readonly prompts: boolean;
  readonly outputs: boolean;
  readonly toolInputs: boolean;
  readonly toolOutputs: boolean;
} {
  return {
    prompts: policies.some((policy) => policy.prompts),
    outputs: policies.some((policy) => policy.outputs),
    toolInputs: policies.some((policy) => policy.anyTool.inputs),
    toolOutputs: policies.some((policy) => policy.anyTool.outputs),
  };
}

function fromEnvironment(environment: CaptureContext['environment']): CaptureOptions {
  const value = environment[SWITCH]?.trim();
  if (value === undefined || value === '') return 'metadata';
  const isOn = SWITCH_VALUES[value.toLowerCase()];
  if (isOn === undefined) {
    throw new ConfigurationError(
      'invalid_capture',
      `${SWITCH} in the environment is ${JSON.stringify(value)}; it can be true, false, NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT`,
    );
  }
  return isOn ? MESSAGE_CONTENT : 'metadata';
}

const FULL: CaptureFields = {
  prompts: true,
  outputs: true,
  thinking: true,
  toolInputs: true,
  toolOutputs: true,
  systemInstructions: true,
  errors: true,
  location: true,
};

/** The switch speaks of messages; where a program runs is none. */
const MESSAGE_CONTENT: CaptureFields = { ...FULL, location: false };

function fieldsOf(options: CaptureOptions): CaptureFields {
  if (options === 'metadata') return {};
  if (options === 'full') return FULL;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalid('capture', options, "'metadata', 'full' or an object of fields");
  for (const name of SWITCHES) check(name, options[name], { types: ['boolean'], expected: 'true or false' });
  for (const name of TOOL_SWITCHES)
    check(name, options[name], {
      types: ['boolean', 'function'],
      expected: 'true, false or a function of the tool’s name',
    });
  check('redact', options.redact, { types: ['function'], expected: 'a function from text to text' });
  const { maxTextBytes } = options;
  if (maxTextBytes !== undefined && !(Number.isInteger(maxTextBytes) && maxTextBytes >= 0)) {
    throw invalid('maxTextBytes', maxTextBytes, 'a whole number of bytes, 0 or more');
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined)
    throw new ConfigurationError(
      'invalid_capture',
      `capture has no field ${JSON.stringify(unknown)}; it has ${[...KNOWN].join(', ')}`,
    );
  return options;
}

const KNOWN: ReadonlySet<string> = new Set([...SWITCHES, ...TOOL_SWITCHES, 'maxTextBytes', 'redact']);

function check(
  name: string,
  value: unknown,
  { types, expected }: { readonly types: readonly string[]; readonly expected: string },
): void {
  if (value !== undefined && !types.includes(typeof value)) throw invalid(name, value, expected);
}

function invalid(name: string, value: unknown, expected: string): ConfigurationError {
  return new ConfigurationError('invalid_capture', `${name} of capture is ${String(value)}; it can be ${expected}`);
}

function byTool(option: ByTool | undefined): ToolChoice {
  if (typeof option !== 'function') return () => option ?? false;
  return (toolName) => {
    if (toolName === undefined) return false;
    try {
      return option(toolName) === true;
    } catch {
      // A decision that fails lets nothing out.
      return false;
    }
  };
}

function isEverTrue(option: ByTool | undefined): boolean {
  return typeof option === 'function' || option === true;
}
