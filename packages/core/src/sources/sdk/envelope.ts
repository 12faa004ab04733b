import type { AgentRef, Observation } from '../../model/observation.ts';
import type { UnixNano } from '../../model/time.ts';
import type { Fields } from './guards.ts';

/** One message with what is known around it. */
export interface Envelope {
  readonly message: Fields;
  readonly id: string;
  readonly at: UnixNano;
  readonly agent: AgentRef;
  readonly turn: number;
}

export type Emit = (observation: Observation) => void;
