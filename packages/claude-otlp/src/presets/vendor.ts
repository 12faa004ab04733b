import { ConfigurationError } from '@spanprism/core';
import type { Attributes, Sink } from '@spanprism/core';
import type { Dialect, GenaiDialectOptions } from '@spanprism/core/dialect';
import { checkUrl, listed, pick, readText } from '@spanprism/core/otlp';
import type { Environment, Headers, Sourced } from '@spanprism/core/otlp';
import { otlpSink } from '../otlp-sink.ts';
import type { OtlpSinkOptions } from '../otlp-sink.ts';

/**
 * What every preset takes. `url` is full and used as it is; `headers` go beside those of the vendor and win over them. Of
 * OpenTelemetry's variables a preset heeds those of the service, the resource, the sampler and metrics; never `OTEL_EXPORTER_OTLP_*`,
 * whose endpoint and keys are another backend's.
 */
export type PresetOptions = Omit<OtlpSinkOptions, 'endpoint' | 'sign' | 'fixes'>;

/** Something that a vendor wants to know. */
export interface Setting {
  /** What it is part of: with `url` or `headers` given in code, the settings for that need no value. */
  readonly for: 'url' | 'headers' | 'resource';
  /** The variables that people keep it in, the first one first. */
  readonly env?: readonly string[];
  readonly fallback?: string;
  /** How to come by a value. With it there must be one, unless `unless`. */
  readonly need?: string;
  /** Another setting, named before this one, that serves as well; `true` when there need be none at all. */
  readonly unless?: string | true;
  readonly words?: readonly string[];
  readonly isUrl?: true;
  /** What is often put here by mistake: how to tell, and what it is. The value itself is never shown. */
  readonly mistakes?: readonly (readonly [RegExp, string])[];
}

export type Values<K extends string> = Readonly<Record<K, string | undefined>>;

/** A backend, in data as far as it goes. */
export interface Vendor<K extends string> {
  readonly name: string;
  readonly settings: Readonly<Record<K, Setting>>;
  /** The full URL for traces. */
  readonly url: (values: Values<K>) => string;
  readonly headers?: (values: Values<K>) => Readonly<Record<string, string | undefined>>;
  readonly resource?: (values: Values<K>) => Readonly<Record<string, string | undefined>>;
  /** How it wants spans spelled; as OpenTelemetry's GenAI conventions unless given. */
  readonly dialect?: (shape: GenaiDialectOptions) => Dialect;
  /** What this backend takes and how; the user's options win. */
  readonly sink?: (values: Values<K>) => Partial<OtlpSinkOptions>;
  /** What to check when it refuses the key. */
  readonly refused: string;
  /** It answers JSON with 415. */
  readonly takesProtobufAlone?: true;
}

type VendorOptions<K extends string> = PresetOptions & { readonly [P in K]?: string | undefined };

/** The sink of a preset. Throws a `ConfigurationError` that names what is missing or wrong, where it came from and the fix. */
export function presetSink<K extends string>(vendor: Vendor<K>, options: VendorOptions<K>): Sink {
  const { environment = process.env, headers, resource, limits } = options;
  const values = readValues(vendor, options, environment);
  const { metrics: takesMetrics = false, ...own } = vendor.sink?.(values) ?? {};
  if (vendor.takesProtobufAlone && options.protocol === 'http/json') {
    throw wrong(`${vendor.name} takes no http/json (from the option protocol). Use http/protobuf, or leave it out.`);
  }
  return otlpSink({
    protocol: 'http/protobuf',
    compression: 'gzip',
    timeoutMs: 10_000,
    // Most keys are for traces alone, and a backend that takes no figures would be asked in vain.
    ...(takesMetrics ? {} : { metrics: false }),
    ...own,
    ...(vendor.dialect === undefined ? {} : { dialect: vendor.dialect(shapeOf(options)) }),
    ...options,
    name: options.name ?? vendor.name,
    environment,
    url: options.url ?? vendor.url(values),
    headers: mergedHeaders(present(vendor.headers?.(values) ?? {}), headers),
    resource: { ...resourceOf(vendor, values), ...own.resource, ...resource },
    limits: { ...own.limits, ...limits },
    fixes: { 401: vendor.refused, 403: vendor.refused, ...own.fixes },
  });
}

function shapeOf({ semconv, toolParent }: PresetOptions): GenaiDialectOptions {
  return {
    ...(semconv === undefined ? {} : { version: semconv }),
    ...(toolParent === undefined ? {} : { toolParent }),
  };
}

function readValues<K extends string>(
  vendor: Vendor<K>,
  options: VendorOptions<K>,
  environment: Environment,
): Values<K> {
  const isGiven = { url: options.url !== undefined, headers: options.headers !== undefined, resource: false };
  const values: Partial<Record<K, string>> = {};
  for (const key of Object.keys(vendor.settings) as K[]) {
    const setting: Setting = vendor.settings[key];
    const read = readSetting(setting, { key, option: options[key] }, environment);
    if (read !== undefined) values[key] = checked(vendor.name, setting, { ...read, key });
    else if (setting.fallback !== undefined) values[key] = setting.fallback;
    else if (setting.need !== undefined && !isGiven[setting.for] && !serves(values, setting.unless)) {
      throw missing(vendor.name, setting, key);
    }
  }
  return values as Values<K>;
}

function serves(values: Readonly<Record<string, string | undefined>>, other: Setting['unless']): boolean {
  return other === true || (other !== undefined && values[other] !== undefined);
}

function readSetting(
  { env = [] }: Setting,
  { key, option }: { readonly key: string; readonly option: string | undefined },
  environment: Environment,
): Sourced<string> | undefined {
  const value = option?.trim();
  if (value !== undefined && value !== '') return { value, from: `the option ${key}` };
  return readText(environment, ...env);
}

function checked(name: string, setting: Setting, given: Sourced<string> & { readonly key: string }): string {
  const { key, value, from } = given;
  for (const [pattern, what] of setting.mistakes ?? []) {
    if (pattern.test(value)) throw wrong(`${name}: the ${key} is ${what} (from ${from}). ${setting.need ?? ''}`);
  }
  // A file of variables that Docker reads has no quotes, and takes them for a part of the value.
  if (setting.for === 'headers' && /^["']|["']$/.test(value)) {
    throw wrong(`${name}: the ${key} has quotes around it (from ${from}). Leave them out.`);
  }
  if (setting.words !== undefined) return pick(given, setting.words, `${key} of ${name}`);
  return setting.isUrl ? withoutSlash(checkUrl(given).value) : value;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function missing(name: string, { env = [], need = '' }: Setting, key: string): ConfigurationError {
  const places = [`the option ${key}`, ...env.map((variable) => `env ${variable}`)];
  const where = places.length === 1 ? `the option ${key} is not given` : `none of ${listed(places)} has a value`;
  return new ConfigurationError('missing_option', `${name} needs the ${key}: ${where}. ${need}`);
}

function wrong(message: string): ConfigurationError {
  return new ConfigurationError('invalid_option', message.trim());
}

function resourceOf<K extends string>(vendor: Vendor<K>, values: Values<K>): Attributes {
  return present(vendor.resource?.(values) ?? {});
}

function present(fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const known = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  return Object.fromEntries(known);
}

function mergedHeaders(vendors: Headers, users: OtlpSinkOptions['headers']): Headers | (() => Headers) {
  if (typeof users === 'function') return () => ({ ...vendors, ...inLowerCase(users()) });
  return { ...vendors, ...inLowerCase(users ?? {}) };
}

function inLowerCase(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The URL for traces below a base, which may have the path in part or whole already. */
export function tracesBelow(base: string | undefined): string {
  const bare = withoutSlash(base ?? '');
  if (bare.endsWith('/v1/traces')) return bare;
  return bare.endsWith('/v1') ? `${bare}/traces` : `${bare}/v1/traces`;
}

/** `Authorization` of a user and a password. */
export function basic(user: string | undefined, password: string | undefined): string {
  return `Basic ${Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64')}`;
}

/** `Authorization` of a key; undefined without one. */
export function scheme(name: 'Bearer' | 'Api-Token' | 'ApiKey', key: string | undefined): string | undefined {
  return key === undefined ? undefined : `${name} ${key}`;
}
