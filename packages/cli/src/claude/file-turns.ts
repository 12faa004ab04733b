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
 * What one session file holds of turns that telemetry names, by the ids of the prompts that began or joined them: the file counts its
 * turns in another way. What waits for its name is passed over when something later has one.
 */
export class FileTurns {
  readonly #tell: (observation: Observation) => void;
  readonly #named: Map<string, NamedTurn> = new Map();
  readonly #held: Observation[] = [];
  /** The turn that was told of last. */
  #current: NamedTurn | undefined;

  constructor(tell: (observation: Observation) => void) {
    this.#tell = tell;
  }

  observe(observation: Observation): void {
    this.#held.push(observation);
    if (this.#held.length > MOST_HELD) this.#held.shift();
    this.#tellNamed();
  }

  named(messageId: string, turn: NamedTurn): void {
    this.#named.set(messageId, turn);
    this.#tellNamed();
  }

  #tellNamed(): void {
    while (this.#held.length > 0) {
      if (this.#held[0]?.type === 'turn-start' && !this.#toNamed()) return;
      const next = this.#held.shift();
      const told = next === undefined || this.#current === undefined ? undefined : inTurn(next, this.#current);
      if (told !== undefined) this.#tell(told);
    }
  }

  /** Goes on to the next prompt with a name; false when there is none yet. */
  #toNamed(): boolean {
    const at = this.#held.findIndex((one) => this.#nameOf(one) !== undefined);
    const start = this.#held[at];
    if (start === undefined) return false;
    this.#held.splice(0, at);
    this.#current = this.#nameOf(start);
    return true;
  }

  #nameOf(one: Observation): NamedTurn | undefined {
    return one.type === 'turn-start' ? this.#named.get(one.userMessageId ?? '') : undefined;
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
