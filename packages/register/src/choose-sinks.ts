import type { Sink } from '@spanprism/core';
import type { Environment } from '@spanprism/core/otlp';
import { type SinkFactory, STANDARD, type Surroundings, type Vendor, VENDORS } from './vendors.ts';

export interface Choice {
  readonly sinks: readonly Sink[];
  /** Each sink by name, with the variable that asked for it. */
  readonly found: readonly string[];
  /** What the environment asks for and cannot have, and how to have it; one line each. */
  readonly problems: readonly string[];
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
  for (const vendor of wanted(surroundings.environment)) {
    const variable = firstSet(vendor, surroundings.environment);
    try {
      const sink = make(vendor.sink(surroundings), { variable, load });
      sinks.push(sink);
      found.push(`${sink.name} (${variable})`);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { sinks, found, problems };
}

function wanted(environment: Environment): readonly Vendor[] {
  const vendors = VENDORS.filter((vendor) => isAskedFor(vendor, environment));
  const isTwice = vendors.some((vendor) => hasEndpointOf(vendor, environment));
  return !isTwice && isAskedFor(STANDARD, environment) ? [STANDARD, ...vendors] : vendors;
}

function isAskedFor(vendor: Vendor, environment: Environment): boolean {
  return firstSet(vendor, environment) !== '' && (vendor.isMeant?.(environment) ?? true);
}

/** Set to nothing counts as not set. */
function firstSet({ variables }: Vendor, environment: Environment): string {
  return variables.find((name) => (environment[name] ?? '').trim() !== '') ?? '';
}

/** Langfuse's own endpoint in `OTEL_EXPORTER_OTLP_ENDPOINT`, beside Langfuse's keys, would send each span there twice. */
function hasEndpointOf({ hosts = [], urlVariable }: Vendor, environment: Environment): boolean {
  const endpoint = urlIn(environment, firstSet(STANDARD, environment));
  if (endpoint === undefined) return false;
  const own = urlVariable === undefined ? undefined : urlIn(environment, urlVariable);
  if (own !== undefined && endpoint.host === own.host && endpoint.pathname.startsWith(pathOf(own))) return true;
  return hosts.some((host) => endpoint.hostname === host || endpoint.hostname.endsWith(`.${host}`));
}

function urlIn(environment: Environment, variable: string): URL | undefined {
  const value = environment[variable]?.trim();
  return value !== undefined && URL.canParse(value) ? new URL(value) : undefined;
}

/** Behind one gateway, backends differ in their paths alone. The path of a DSN, which has a key as its user, is no path of a server. */
function pathOf({ username, pathname }: URL): string {
  return username === '' ? pathname : '/';
}

function make(
  { package: name, factory }: SinkFactory,
  { variable, load }: { readonly variable: string; readonly load: LoadPackage },
): Sink {
  const exported = load(name);
  if (exported === undefined) throw new Error(`${variable} is set, but ${name} is not installed: npm install ${name}`);
  const create = exported[factory];
  if (typeof create !== 'function') {
    throw new Error(
      `${variable} is set, but the ${name} that is installed has no ${factory}: npm install ${name}@latest`,
    );
  }
  return create() as Sink;
}
