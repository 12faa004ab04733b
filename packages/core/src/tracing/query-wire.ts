import type { Wire, WireRoute } from '../loopback/wire/start-wire.ts';
import { upstreamOf, withoutProxy } from '../loopback/wire/upstream-of.ts';
import type { Observation } from '../model/observation.ts';
import type { Environment } from '../sources/sdk/child-environment.ts';
import type { Guard } from '../sources/sdk/query-watch.ts';
import { WireSource } from '../sources/wire/wire-source.ts';

export interface QueryWireParts {
  readonly wire: Wire;
  readonly environment: Environment;
  readonly guard: Guard;
  readonly observe: (observation: Observation) => void;
  /** Told after each exchange. */
  readonly onNews: () => void;
  /** Told why the child's requests are left alone. */
  readonly onLeftAlone: (reason: string) => void;
}

/** One child's requests as they pass. */
export class QueryWire {
  readonly #wire: Wire;
  readonly #route: WireRoute;
  readonly #source: WireSource;
  readonly #environment: Environment;

  private constructor({ wire, environment }: QueryWireParts, route: WireRoute, source: WireSource) {
    this.#wire = wire;
    this.#environment = environment;
    this.#route = route;
    this.#source = source;
  }

  /** Undefined when nothing of this child can pass through us. */
  static open(parts: QueryWireParts): QueryWire | undefined {
    const { wire, environment, guard, observe, onNews, onLeftAlone } = parts;
    const found = upstreamOf(environment);
    if ('reason' in found) {
      onLeftAlone(found.reason);
      return undefined;
    }
    const source = new WireSource({ observe });
    const route = wire.register({
      upstream: found.upstream,
      exchange: (exchange) => {
        guard('wire', () => source.receive(exchange));
        onNews();
      },
    });
    if (route.baseUrl() !== undefined) return new QueryWire(parts, route, source);
    route.release();
    onLeftAlone(NOT_LISTENING);
    return undefined;
  }

  /** The child has asked the model by another way: nothing passed here, though it could have. */
  get wasBypassed(): boolean {
    const { state, lost } = this.#wire.stats();
    return this.#source.counters.exchanges === 0 && state === 'listening' && lost === 0;
  }

  /** What the child's environment gets on top. */
  get additions(): Environment {
    const authority = this.#route.authority();
    const baseUrl = this.#route.baseUrl();
    if (authority === undefined || baseUrl === undefined) return {};
    return { ANTHROPIC_BASE_URL: baseUrl, ...withoutProxy(this.#environment, authority) };
  }

  release(): void {
    this.#route.release();
  }
}

const NOT_LISTENING = 'the pass-through was not listening: await tracing.ready() before the first query';
