import { given } from '../model/given.ts';
import { parseTraceparent, type TraceContext } from '../model/ids.ts';
import type { Environment } from '../sources/sdk/child-environment.ts';
import { type Fields, stringIn } from '../sources/sdk/guards.ts';
import { innermost, type Surroundings } from './steps.ts';

export interface QueryParent extends TraceContext {
  /** False when it is a step of ours. */
  readonly isRemote: boolean;
}

export interface ParentSources {
  /** `options.env`, where the user gave one. */
  readonly own: Fields | undefined;
  readonly surroundings: Surroundings;
  readonly ambient: () => TraceContext | undefined;
  readonly environment: () => Environment;
}

/** What a query stands under: what the user says for its child, the step around it, what is active in the host, what the process inherited. */
export function queryParent({ own, surroundings, ambient, environment }: ParentSources): QueryParent | undefined {
  const given = parseTraceparent(stringIn(own, 'TRACEPARENT'), stringIn(own, 'TRACESTATE'));
  if (given !== undefined) return { ...given, isRemote: true };
  const near = innermost(surroundings, ambient);
  if (near !== undefined) return near;
  const { TRACEPARENT, TRACESTATE } = environment();
  const inherited = parseTraceparent(TRACEPARENT, TRACESTATE);
  return inherited === undefined ? undefined : { ...inherited, isRemote: true };
}

/** The state of a trace goes with it, and never with another. */
export function withStateOf(parent: TraceContext | undefined, context: TraceContext): TraceContext {
  return parent?.traceId === context.traceId ? { ...context, ...given('traceState', parent.traceState) } : context;
}
