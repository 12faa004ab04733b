import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { asObject, type JsonObject, parseJson } from '../json.ts';

/** A file that a session left in its home folder, by its name in a recording, and its rows; `.meta.json` has one. */
export interface LeftFile {
  readonly name: string;
  readonly rows: readonly JsonObject[];
}

/** Session files in the order in which they were begun, and those of their subagents. */
export async function sessionFilesIn(home: string): Promise<readonly LeftFile[]> {
  const folder = join(home, '.claude', 'projects');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const main = paths.filter((path) => path.endsWith('.jsonl') && !path.includes('/subagents/'));
  const begun = await Promise.all(main.map(async (path) => ({ path, at: (await stat(path)).birthtimeMs })));
  const named = begun
    .toSorted((a, b) => a.at - b.at)
    .map(({ path }, index) => ({ path, name: index === 0 ? 'transcript.jsonl' : `transcript-${index + 1}.jsonl` }));
  const subagents = paths.flatMap((path) => {
    const [, session, file] = /([^/]+)\/subagents\/(agent-\w+\.(?:meta\.json|jsonl))$/.exec(path) ?? [];
    return session === undefined ? [] : [{ path, name: `transcript-extra/${session}__subagents__${file}` }];
  });
  return Promise.all(
    [...named, ...subagents].map(async ({ path, name }) => {
      const text = await readFile(path, 'utf8');
      const lines = basename(path).endsWith('.json') ? [text] : text.split('\n').filter((line) => line !== '');
      return {
        name,
        rows: lines
          .map((line) => asObject(parseJson(line)))
          .filter(isKept)
          .map(withShortCommand),
      };
    }),
  );
}

/** Whole requests, and lists of the installation. */
const DROPPED: ReadonlySet<unknown> = new Set([
  ...['api-request-shape', 'api-request-blob', 'prompt_snapshot'],
  ...['deferred_tools_delta', 'agent_listing_delta', 'skill_listing'],
]);

function isKept({ type, attachment }: JsonObject): boolean {
  return !DROPPED.has(type) && !DROPPED.has(asObject(attachment)['type']);
}

/** What the CLI writes of a command is longer than its name, and longer than what is kept of its words. */
function withShortCommand(row: JsonObject): JsonObject {
  const message = asObject(row['message']);
  const name = /^<command-name>[^<]*<\/command-name>/.exec(String(message['content']))?.[0];
  return name === undefined ? row : { ...row, message: { ...message, content: name } };
}
