/** Decides by tool: `Bash`, `mcp__server__tool`. */
export type ByTool = boolean | ((toolName: string) => boolean);

/** What may leave, field by field. What is not named stays here. */
export interface CaptureFields {
  /** What users and hosts told the model, tool results aside. */
  readonly prompts?: boolean;
  /** What the model answered. */
  readonly outputs?: boolean;
  /** The model's thinking, within inputs and outputs. */
  readonly thinking?: boolean;
  readonly toolInputs?: ByTool;
  readonly toolOutputs?: ByTool;
  /** System prompt and tool definitions. */
  readonly systemInstructions?: boolean;
  /** The words of errors and notifications; types and codes are always kept. */
  readonly errors?: boolean;
  /** The working directory. */
  readonly location?: boolean;
  /** UTF-8 bytes that are kept of each text. Default 61,440, which is also what the CLI itself logs. */
  readonly maxTextBytes?: number;
  /** Applied to every text after the secret scanner; a text at which it throws is dropped. */
  readonly redact?: (text: string) => string;
}

/** `metadata` keeps sizes, counts, names and times; `full` keeps everything. */
export type CaptureOptions = 'metadata' | 'full' | CaptureFields;
