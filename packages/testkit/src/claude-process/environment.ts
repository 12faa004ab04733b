export interface CleanEnvironmentOptions {
  /** Home folder of the run: settings, transcripts and caches go there. */
  readonly home: string;
  /** Where the Messages API is; without it the real one, which the dummy key keeps out. */
  readonly apiUrl?: string;
  /** Set on top; `undefined` takes a variable away. */
  readonly extra?: Readonly<Record<string, string | undefined>>;
  /** Where `PATH` and the temporary folder are taken from. */
  readonly from?: Readonly<Record<string, string | undefined>>;
}

const KEPT = ['PATH', 'TMPDIR', 'SystemRoot', 'COMSPEC', 'PATHEXT'];

/**
 * An environment for a `claude` process that shares nothing with this machine's own: no settings, keys, proxies or telemetry.
 * Titles, update checks and the like are off; take away `CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC` for a run that shows them.
 */
export function cleanEnvironment(options: CleanEnvironmentOptions): Record<string, string> {
  const { home, apiUrl, extra = {}, from = process.env } = options;
  const variables: Record<string, string | undefined> = {
    ...Object.fromEntries(KEPT.map((name) => [name, from[name]])),
    HOME: home,
    USERPROFILE: home,
    LANG: 'C.UTF-8',
    // Lets the binary run as root, as it must in containers.
    IS_SANDBOX: '1',
    ANTHROPIC_API_KEY: 'sk-ant-dummy',
    ANTHROPIC_BASE_URL: apiUrl,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...extra,
  };
  const set = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(set);
}
