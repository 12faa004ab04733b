const SDK = '@anthropic-ai/claude-agent-sdk';
/** What people import. A copy under another name, as bundlers make for externals, is known by its file. */
const SPECIFIERS: ReadonlySet<string> = new Set([SDK, `${SDK}/core`]);
const FILE = /\/node_modules\/@anthropic-ai\/claude-agent-sdk\/(?:sdk|core)\.mjs$/;

/** Whether a module is an entry of the Agent SDK that holds `query`. */
export function isSdkEntry(url: string, specifier: string): boolean {
  return SPECIFIERS.has(specifier) || FILE.test(url);
}

/** The cheap question, asked for each import and require of the program. */
export function mayBeSdk(specifier: unknown): specifier is string {
  return typeof specifier === 'string' && specifier.includes('claude-agent-sdk');
}
