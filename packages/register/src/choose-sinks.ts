import type { Sink } from '@spanprism/core';
import type { Environment } from '@spanprism/core/otlp';
import { type OtlpEndpoint, type SinkFactory, STANDARD, type Surroundings, type Vendor, VENDORS } from './vendors.ts';

export interface Choice {
  readonly sinks: readonly Sink[];
  /** Each sink by name, with the variables that asked for it. */
  readonly found: readonly string[];
  /** What the environment asks for and cannot have, and how to have it; one line each. */
  readonly problems: readonly string[];
  /** What the environment asks for and switches off by the backend's own variables, named as in `found`. */
  readonly switchedOff: readonly string[];
}

/** The exports of an installed package (`@spanprism/claude-otlp`, say); undefined when it is not installed. */
export type LoadPackage = (name: string) => Readonly<Record<string, unknown>> | undefined;

/**
 * The sinks that the environment asks for, made. Nothing throws: what cannot be had is a problem, and the others go on.
 *
 * @example
 * const { sinks, found, problems } = chooseSinks({ environment: process.env }, (name) => PACKAGES[name]);
 */
export function chooseSinks(surroundings: Surroundings, load: LoadPackage): Choice {
  const sinks: Sink[] = [];
  const found: string[] = [];
  const problems: string[] = [];
  const switchedOff: string[] = [];
  for (const { vendor, variables, options } of wanted(surroundings.environment)) {
    try {
      const factory = vendor.sink(surroundings);
      const read = factory.environment && { [factory.environment]: surroundings.environment };
      const sink = make(factory, { variable: variables[0], options: { ...read, ...options }, load });
      const name = `${sink.name} (${variables.join(', ')})`;
      if (sink.isDisabled !== true) sinks.push(sink);
      (sink.isDisabled === true ? switchedOff : found).push(name);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { sinks, found, problems, switchedOff };
}

interface Wanted {
  readonly vendor: Vendor;
  /** That asked for it. */
  readonly variables: readonly [string, ...string[]];
  readonly options: object;
}

function wanted(environment: Environment): readonly Wanted[] {
  const vendors = VENDORS.flatMap((vendor) => asked(vendor, environment));
  const [standard] = asked(STANDARD, environment);
  if (standard === undefined) return vendors;
  const endpoint = endpointIn(environment, standard.variables[0]);
  const owner = vendors.find(({ vendor }) => endpoint !== undefined && isAt(vendor, endpoint, environment));
  if (endpoint === undefined || owner === undefined) return [standard, ...vendors];
  // Langfuse's own endpoint in `OTEL_EXPORTER_OTLP_ENDPOINT`, beside Langfuse's keys, would send each span there twice.
  const { vendor, variables } = owner;
  if (placeOf(vendor, environment) !== undefined) return vendors;
  const options = vendor.at?.(endpoint) ?? {};
  const there: Wanted = { vendor, variables: [...variables, ...standard.variables], options };
  return vendors.map((one) => (one === owner ? there : one));
}

function asked(vendor: Vendor, environment: Environment): readonly Wanted[] {
  const variable = vendor.variables.find((name) => isSet(environment, name));
  const isAsked = variable !== undefined && (vendor.isMeant?.(environment) ?? true);
  return isAsked ? [{ vendor, variables: [variable], options: {} }] : [];
}

/** Set to nothing counts as not set. */
function isSet(environment: Environment, variable: string): boolean {
  return (environment[variable] ?? '').trim() !== '';
}

/** Whether its sink sends there anyway, or would if it knew. */
function isAt(vendor: Vendor, { url }: OtlpEndpoint, environment: Environment): boolean {
  const own = placeOf(vendor, environment);
  if (own !== undefined) return serverOf(url) === serverOf(own) && `${url.pathname}/`.startsWith(`${pathOf(own)}/`);
  return (vendor.hosts ?? []).some((host) => url.hostname === host || url.hostname.endsWith(`.${host}`));
}

function placeOf({ urlVariables = [] }: Vendor, environment: Environment): URL | undefined {
  const variable = urlVariables.find((name) => isSet(environment, name));
  return variable === undefined ? undefined : urlIn(environment, variable);
}

function endpointIn(environment: Environment, variable: string): OtlpEndpoint | undefined {
  const url = urlIn(environment, variable);
  if (url === undefined) return undefined;
  const base = url.href.replace(/\/+$/, '');
  const isFull = variable.endsWith('_TRACES_ENDPOINT') || base.endsWith('/v1/traces');
  return { url, tracesUrl: isFull ? url.href : `${base}/v1/traces` };
}

function urlIn(environment: Environment, variable: string): URL | undefined {
  const value = environment[variable]?.trim();
  return value !== undefined && URL.canParse(value) ? new URL(value) : undefined;
}

const THIS_MACHINE: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]']);

/** Protocols are left out: nobody has two backends at one host and port. */
function serverOf({ protocol, hostname, port }: URL): string {
  const standardPort = protocol === 'https:' ? '443' : '80';
  return `${THIS_MACHINE.has(hostname) ? 'localhost' : hostname}:${port === '' ? standardPort : port}`;
}

/** Behind one gateway, backends differ in their paths alone. A DSN, which has a key as its user, ends in the number of its project. */
function pathOf({ username, pathname }: URL): string {
  const path = username === '' ? pathname : pathname.replace(/\/(\d+)\/?$/, '/api/$1');
  return path.replace(/\/+$/, '');
}

interface Making {
  readonly variable: string;
  readonly options: object;
  readonly load: LoadPackage;
}

function make({ package: name, factory }: SinkFactory, { variable, options, load }: Making): Sink {
  const exported = load(name);
  if (exported === undefined) throw new Error(`${variable} is set, but ${name} is not installed: npm install ${name}`);
  const create = exported[factory];
  if (typeof create !== 'function') {
    throw new Error(
      `${variable} is set, but the ${name} that is installed has no ${factory}: npm install ${name}@latest`,
    );
  }
  return create(options) as Sink;
}
