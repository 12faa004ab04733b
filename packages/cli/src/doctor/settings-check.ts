import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, type Row, rowsOf, type Surroundings } from './finding.ts';

/** Where an administrator's settings are. https://code.claude.com/docs/en/settings */
const MANAGED: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: '/Library/Application Support/ClaudeCode',
  win32: 'C:\\Program Files\\ClaudeCode',
};
const MANAGED_ELSEWHERE = '/etc/claude-code';

/**
 * Whether a settings file of Claude Code's has an `env` that takes its requests or its telemetry elsewhere: it wins over the environment
 * in which `claude` is started, and so over ours.
 */
export function settingsRows(
  around: Surroundings,
  managed: string = MANAGED[process.platform] ?? MANAGED_ELSEWHERE,
): readonly Row[] {
  const files = filesOf(around, managed).flatMap((path) => readFile(path) ?? []);
  const findings = files.flatMap((file) => findingsOf(file));
  return rowsOf(
    'settings',
    findings,
    files.length === 0 ? 'no settings files' : files.map(({ path }) => path).join(', '),
  );
}

function filesOf({ env, cwd, home }: Surroundings, managed: string): readonly string[] {
  const user = env['CLAUDE_CONFIG_DIR'] || join(home, '.claude');
  return [
    join(managed, 'managed-settings.json'),
    ...namesIn(join(managed, 'managed-settings.d')),
    join(user, 'settings.json'),
    // Once, where somebody stands in his home.
    ...['settings.json', 'settings.local.json'].map((name) => join(cwd, '.claude', name)),
  ].filter((path, index, all) => all.indexOf(path) === index);
}

function namesIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}

interface SettingsFile {
  readonly path: string;
  /** Undefined when the file is no JSON. */
  readonly env: Readonly<Record<string, string>> | undefined;
}

/** Undefined when there is no such file, or it is not ours to read. */
function readFile(path: string): SettingsFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    return { path, env: textsOf(typeof parsed === 'object' && parsed !== null && 'env' in parsed ? parsed.env : {}) };
  } catch {
    return { path, env: undefined };
  }
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function findingsOf({ path, env }: SettingsFile): readonly Finding[] {
  if (env === undefined) {
    const fix = 'Correct it: Claude Code ignores the whole file.';
    return [{ code: 'settings_malformed', what: 'the settings file is no JSON', where: path, fix }];
  }
  const found: Finding[] = [];
  if (isSet(env['ANTHROPIC_BASE_URL'])) {
    found.push({
      code: 'settings_base_url',
      what: 'its env sets ANTHROPIC_BASE_URL, which goes before the one that claude is started with: --wire sees no request',
      where: path,
      fix: 'Take it out, and set it in the environment in which spanprism is started: that one is passed on.',
    });
  }
  const elsewhere = Object.entries(env).filter(([name, value]) => isElsewhere(name, value));
  if (elsewhere.length > 0) {
    const names = elsewhere.map(([name]) => name).join(', ');
    found.push({
      code: 'settings_telemetry',
      what: `its env sets ${names}: what Claude Code reports goes past spanprism, or comes here and no longer to where the file says`,
      where: path,
      fix: 'Take them out, and set them in the environment in which spanprism is started.',
    });
  }
  return found;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

const OFF: ReadonlySet<string> = new Set(['', '0', 'false', 'no', 'off']);
const SWITCHES: ReadonlySet<string> = new Set(['CLAUDE_CODE_ENABLE_TELEMETRY', 'CLAUDE_CODE_ENHANCED_TELEMETRY_BETA']);
/** A signal's own win over those that the child is given; the general one loses to them, and so gets nothing. */
const PLACES: readonly RegExp[] = [
  /^OTEL_EXPORTER_OTLP_(?:(?:TRACES|LOGS|METRICS)_)?ENDPOINT$/,
  /^OTEL_EXPORTER_OTLP_(?:TRACES|LOGS|METRICS)_PROTOCOL$/,
];
const EXPORTER = /^OTEL_(?:TRACES|LOGS|METRICS)_EXPORTER$/;

/** A switch that is on does no harm, and of the exporters `otlp` is ours. */
function isElsewhere(name: string, value: string): boolean {
  if (SWITCHES.has(name)) return OFF.has(value.trim().toLowerCase());
  if (EXPORTER.test(name)) return !value.split(',').includes('otlp');
  if (name === 'OTEL_TRACES_SAMPLER') return !value.endsWith('always_on');
  return isSet(value) && PLACES.some((place) => place.test(name));
}
