import type { AgentRef } from '../../model/observation.ts';
import type { UnixNano } from '../../model/time.ts';

/** A turn of the main loop, or a subagent, as far as its rows have been read. */
export interface Speaker {
  readonly ref: AgentRef;
  /** The turn in which it began. */
  readonly turn: number;
  /** Of its latest row. */
  lastAt: UnixNano;
  /** A request was sent that has neither been answered nor failed. */
  isAsking: boolean;
  latestRequestAt: UnixNano | undefined;
  /** The model that it asked last. */
  model: string | undefined;
  /** Of its latest answer. */
  stopReason: string | undefined;
  /** Tools that it asked for and of which no result is known. */
  readonly openTools: Set<string>;
  /** The call by which it gave its answer in the shape that was asked for. */
  structuredCall: string | undefined;
  wasInterrupted: boolean;
  /** A hook has said that it is enough. */
  isStopped: boolean;
  /** What its latest tool result says. */
  wasDenied: boolean;
  denials: number;
  failure: Failure | undefined;
}

export interface Failure {
  readonly status: number | undefined;
  readonly message: string;
  readonly isRefusal: boolean;
}

export function speaker(ref: AgentRef, turn: number, at: UnixNano): Speaker {
  return {
    ref,
    turn,
    lastAt: at,
    isAsking: false,
    latestRequestAt: undefined,
    model: undefined,
    stopReason: undefined,
    openTools: new Set(),
    structuredCall: undefined,
    wasInterrupted: false,
    isStopped: false,
    wasDenied: false,
    denials: 0,
    failure: undefined,
  };
}

/** Whether its last word was no last word: more was to come when the rows end. */
export function isUnfinished({ stopReason, openTools, isAsking, isStopped }: Speaker): boolean {
  if (isStopped) return false;
  return isAsking || openTools.size > 0 || stopReason === 'tool_use' || stopReason === 'pause_turn';
}
