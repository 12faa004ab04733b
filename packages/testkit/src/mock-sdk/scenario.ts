import type { Signal } from '../collector/otlp-codec.ts';
import type { JsonObject } from '../json.ts';

/** What the program that uses the SDK does, and a run may react to. */
export type HostAction = 'prompt' | 'interrupt' | 'abort' | 'leave';

/** One thing that the child does, at milliseconds since `query()`. */
export type ScenarioStep =
  | { readonly type: 'message'; readonly atMs: number; readonly message: JsonObject }
  /** An export of the CLI's telemetry: its body in the shape of OTLP/JSON. */
  | { readonly type: 'telemetry'; readonly atMs: number; readonly signal: Signal; readonly payload: JsonObject }
  /** Nothing goes on until the host has done this; later times count from then. */
  | { readonly type: 'await'; readonly atMs: number; readonly action: HostAction }
  /** The messages end here, though the child may live on. Without `error` an error result decides how, as in the real SDK. */
  | { readonly type: 'end'; readonly atMs: number; readonly error?: string };

/** What one child plays. Steps are taken one by one, so they may be generated. */
export interface Scenario {
  /** Milliseconds since 1970 at time 0 of the telemetry; its times are moved so that they begin with the query. */
  readonly epochMs?: number;
  readonly steps: Iterable<ScenarioStep>;
}

/** A scenario of messages alone, each as soon as the one before is out. */
export function messages(list: Iterable<JsonObject>): Scenario {
  return {
    steps: {
      *[Symbol.iterator]() {
        for (const message of list) yield { type: 'message', atMs: 0, message };
      },
    },
  };
}
