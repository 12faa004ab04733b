import type { Observation } from '@spanprism/core/sessions';

/** A turn as telemetry has it. */
export interface NamedTurn {
  readonly turn: number;
  /** Whether telemetry has told the words of its prompt. */
  readonly hasText: boolean;
}

/** More than any turn has that is about to be named. */
const MOST_HELD = 10_000;

/**
 * What one session file holds of turns that telemetry names, by the id of the prompt that began them. Turns of a file have numbers of
 * their own: what waits for its name is passed over when a later turn has one.
 */
export class FileTurns {
  readonly #tell: (observation: Observation) => void;
  readonly #named: Map<string, NamedTurn> = new Map();
  readonly #held: (Observation | 'end')[] = [];
  /** The turn that was told of last, and its number in the file. */
  #current: NamedTurn | undefined;
  #number: number | undefined;

  constructor(tell: (observation: Observation) => void) {
    this.#tell = tell;
  }

  observe(observation: Observation): void {
    this.#hold(observation);
  }

  /** What follows in the file looks like the work of another process: its turns are counted from 0. */
  ended(): void {
    this.#hold('end');
  }

  named(messageId: string, turn: NamedTurn): void {
    this.#named.set(messageId, turn);
    this.#tellNamed();
  }

  #hold(next: Observation | 'end'): void {
    this.#held.push(next);
    if (this.#held.length > MOST_HELD) this.#held.shift();
    this.#tellNamed();
  }

  #tellNamed(): void {
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      if (this.#begins(next) && !this.#toNamed()) return;
      const one = this.#held.shift();
      if (one === 'end') this.#number = undefined;
      else if (one !== undefined && this.#current !== undefined) this.#tellIn(this.#current, one);
    }
  }

  /** A prompt that was sent while the agent was busy has the number of the turn that it joined. */
  #begins(next: Observation | 'end'): boolean {
    return next !== 'end' && next.type === 'turn-start' && next.turn !== this.#number;
  }

  /** Goes on to the next turn with a name; false when there is none yet. */
  #toNamed(): boolean {
    const at = this.#held.findIndex((one) => this.#nameOf(one) !== undefined);
    const start = this.#held[at];
    if (start === undefined || start === 'end' || start.type !== 'turn-start') return false;
    this.#held.splice(0, at);
    this.#current = this.#nameOf(start);
    this.#number = start.turn;
    return true;
  }

  #nameOf(one: Observation | 'end'): NamedTurn | undefined {
    return one === 'end' || one.type !== 'turn-start' ? undefined : this.#named.get(one.userMessageId ?? '');
  }

  #tellIn(turn: NamedTurn, observation: Observation): void {
    const told = inTurn(observation, turn);
    if (told !== undefined) this.#tell(told);
  }
}

/** What was said, and by whom it was broken off. When a turn ends, and what it took, telemetry knows. */
function inTurn(seen: Observation, { turn, hasText }: NamedTurn): Observation | undefined {
  switch (seen.type) {
    case 'turn-start': {
      const { prompt, ...start } = seen;
      return { ...start, turn, ...(hasText || prompt === undefined ? {} : { prompt }) };
    }
    case 'answer':
    case 'call-failed':
    case 'input':
    case 'tool-result':
      return { ...seen, agent: seen.agent.turn === undefined ? seen.agent : { ...seen.agent, turn } };
    case 'query-end':
      return seen;
    default:
      return undefined;
  }
}
