import type { Options, SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import type { Rule } from '../messages-api/rule.ts';

/** One run of the real `claude` that is kept as a recording. */
export interface RecordScript {
  /** Name of the recording's folder. */
  readonly name: string;
  readonly rules: readonly Rule[];
  /** One after the other, in the same project. */
  readonly queries: readonly QueryRun[];
  /** Whether the host is in a trace of its own. Without, every turn is a trace. */
  readonly hasTraceparent?: boolean;
  /** The API answers without its `request-id` header. */
  readonly hidesRequestIds?: boolean;
}

export interface QueryRun {
  /** Needed where a script has several. */
  readonly label?: string;
  /** A list goes in as a stream, each prompt when the turn before has ended. */
  readonly prompt: string | readonly string[];
  /** Given the session of every query so far. */
  readonly options?: (sessions: readonly string[]) => Options;
  /** `interrupt()` follows the first message for which this holds. */
  readonly interruptAfter?: (message: SDKMessage) => boolean;
  /** Put in while the turn runs, after the first message for which this holds. */
  readonly steering?: { readonly text: string; readonly after: (message: SDKMessage) => boolean };
}
