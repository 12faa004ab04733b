import { hostname } from 'node:os';
import { asArray, asObject, type JsonObject } from '../json.ts';

/** What a recording must not say of the machine it was made on, and what it says instead. */
export type Replacements = readonly (readonly [found: string, instead: string])[];

export interface TrimOptions {
  readonly replacements: Replacements;
  /** Whether the script itself put this text in. */
  readonly isOwn: (text: string) => boolean;
}

/** Lists and places of the installation that no suite needs. */
const DROPPED: ReadonlySet<string> = new Set([
  'tools',
  'slash_commands',
  'terminal_slash_commands',
  'agents',
  'skills',
  'plugins',
  'capabilities',
  'memory_paths',
  'messaging_socket_path',
]);
/** Attributes of the machine and its user; they keep their names. */
const MASKED: Readonly<Record<string, string>> = {
  'user.id': '0'.repeat(64),
  'host.arch': 'amd64',
  'host.name': 'host',
  'os.type': 'linux',
  'os.version': '6',
};
/** Longer texts are the CLI's own wording unless the script wrote them. */
const LONGEST = 100;
const NOTIFICATION = '<task-notification>';
const HEX = /^[0-9a-f]+$/;

/** The machine's paths and names under which the project and its home are known. */
export function replacementsFor(project: { readonly cwd: string; readonly home: string }): Replacements {
  const slug = (path: string): string => path.replaceAll(/[^A-Za-z0-9]/g, '-');
  const places = [
    [project.cwd, '/srv/project'],
    [project.home, '/srv/home'],
    [slug(project.cwd), slug('/srv/project')],
  ] as const;
  return [...places, [`/tmp/claude-${process.getuid?.() ?? 0}`, '/srv/claude'], [hostname(), 'host']];
}

/** A message, an export or a host's event without what belongs to the machine or to others. */
export function trimmed(value: unknown, options: TrimOptions): unknown {
  if (typeof value === 'string') return trimText(value, options);
  if (Array.isArray(value)) return value.filter((inner) => !isPlugin(inner)).map((inner) => trimmed(inner, options));
  if (typeof value !== 'object' || value === null) return value;
  if (isAttribute(value)) return { ...value, value: attributeValue(value, options) };
  const fields = asObject(value);
  const isInit = fields['subtype'] === 'init';
  const kept = Object.entries(fields).filter(([name]) => !isInit || !DROPPED.has(name));
  const whole = Object.fromEntries(kept.map(([name, inner]) => [name, trimmed(inner, options)]));
  return isInit ? { ...whole, tools: [] } : whole;
}

/** A log record about a plugin of the installation. */
function isPlugin(value: unknown): boolean {
  return asArray(asObject(value)['attributes']).some(
    (attribute) => asObject(asObject(attribute)['value'])['stringValue'] === 'plugin_loaded',
  );
}

interface Attribute {
  readonly key: string;
  readonly value: JsonObject;
}

function isAttribute(value: object): value is Attribute {
  return 'key' in value && 'value' in value && typeof value.key === 'string' && typeof value.value === 'object';
}

function attributeValue({ key, value }: Attribute, options: TrimOptions): unknown {
  const masked = MASKED[key];
  return masked === undefined ? trimmed(value, options) : { stringValue: masked };
}

function trimText(text: string, { replacements, isOwn }: TrimOptions): string {
  const placed = replacements.reduce((all, [found, instead]) => all.replaceAll(found, instead), text);
  if (placed.length <= LONGEST || HEX.test(placed) || isOwn(placed)) return placed;
  if (placed.startsWith(NOTIFICATION)) return notification(placed);
  return `(${placed.length} characters left out)`;
}

/** The ids of a notification are facts; its wording is not kept. */
function notification(text: string): string {
  const ids = [...text.matchAll(/<(task-id|tool-use-id|status)>([^<]*)<\/\1>/g)].map(([whole]) => whole);
  return [NOTIFICATION, ...ids, '</task-notification>'].join('\n');
}
