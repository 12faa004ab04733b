import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@spanprism/core/child';

/** The file of a session; undefined when there is none: where it is depends on the folder of the run and the CLI's version. */
export function findTranscript(sessionId: string, env: Environment): string | undefined {
  const projects = join(env['CLAUDE_CONFIG_DIR'] || join(env['HOME'] || homedir(), '.claude'), 'projects');
  for (const project of foldersOf(projects)) {
    const path = join(projects, project, `${sessionId}.jsonl`);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  }
  return undefined;
}

function foldersOf(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
