import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@spanprism/core/child';

export interface Override {
  readonly file: string;
  readonly names: readonly string[];
}

export interface OverrideSearch {
  readonly env: Environment;
  readonly cwd: string;
  readonly args: readonly string[];
  /** The child's environment as we have made it. */
  readonly made: Environment;
}

/** Where administrators put theirs (https://code.claude.com/docs/en/settings). */
const MANAGED: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: '/Library/Application Support/ClaudeCode/managed-settings.json',
  linux: '/etc/claude-code/managed-settings.json',
  win32: 'C:\\Program Files\\ClaudeCode\\managed-settings.json',
};

/** What settings files set in the environment of `claude`, whatever it is started with; administrators have the last word. */
export function settingsEnvironment(place: Omit<OverrideSearch, 'made'>): Environment {
  const places = placesOf(place).toSorted((a, b) => Number(a.isManaged) - Number(b.isManaged));
  const entries = places.flatMap(({ text }) => Object.entries(environmentIn(text)));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** Settings files whose `env` says something else than the environment that the child is given; `claude` believes them. */
export function settingsOverrides({ env, cwd, args, made }: OverrideSearch): readonly Override[] {
  const ours = Object.keys(made).filter((name) => made[name] !== env[name]);
  return placesOf({ env, cwd, args }).flatMap(({ file, text }) => {
    const set = environmentIn(text);
    const names = ours.filter((name) => Object.hasOwn(set, name) && String(set[name]) !== made[name]);
    return names.length === 0 ? [] : [{ file, names }];
  });
}

interface SettingsPlace {
  readonly file: string;
  readonly text: string;
  readonly isManaged: boolean;
}

/** Later ones go before earlier ones, but for those of administrators. */
function placesOf({ env, cwd, args }: Omit<OverrideSearch, 'made'>): readonly SettingsPlace[] {
  const home = env['CLAUDE_CONFIG_DIR'] || join(env['HOME'] || homedir(), '.claude');
  const given = argumentOf(args, '--settings');
  const inline = given?.trimStart().startsWith('{') === true ? given : undefined;
  const files = [
    MANAGED[process.platform],
    join(home, 'settings.json'),
    join(cwd, '.claude', 'settings.json'),
    join(cwd, '.claude', 'settings.local.json'),
    inline === undefined ? given : undefined,
  ].filter((file) => file !== undefined);
  return [
    ...files.map((file) => ({ file, text: textOf(file), isManaged: file === MANAGED[process.platform] })),
    ...(inline === undefined ? [] : [{ file: '--settings', text: inline, isManaged: false }]),
  ];
}

function argumentOf(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  if (at !== -1) return args[at + 1];
  return args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}

function environmentIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const { env } = JSON.parse(text) as { readonly env?: unknown };
    return typeof env === 'object' && env !== null ? { ...env } : {};
  } catch {
    return {};
  }
}

function textOf(file: string): string {
  try {
    // What a shell writes into a pipe for `--settings <(…)` was for `claude`, and may never end.
    return statSync(file).isFile() ? readFileSync(file, 'utf8') : '';
  } catch {
    return '';
  }
}
