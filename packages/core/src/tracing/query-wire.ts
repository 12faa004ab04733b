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
  readonly #route: WireRoute;
  readonly #source: WireSource;
  readonly #environment: Environment;

  private constructor(route: WireRoute, source: WireSource, environment: Environment) {
    this.#route = route;
    this.#source = source;
    this.#environment = environment;
  }

  /** Undefined when nothing of this child can pass through us. */
  static open({ wire, environment, guard, observe, onNews, onLeftAlone }: QueryWireParts): QueryWire | undefined {
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
    if (route.baseUrl() !== undefined) return new QueryWire(route, source, environment);
    route.release();
    onLeftAlone(NOT_LISTENING);
    return undefined;
  }

  /** How many exchanges were seen. */
  get exchanges(): number {
    return this.#source.counters.exchanges;
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
