import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { given } from '../../model/given.ts';
import { fieldsOf, stringIn } from '../sdk/guards.ts';
import { linesOf } from './lines.ts';
import { readRow } from './row.ts';
import type { Subagent } from './subagent-rows.ts';

/** The files of one session. */
export interface SessionFiles {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly subagents: readonly SubagentFile[];
}

export interface SubagentFile extends Subagent {
  readonly path: string;
  readonly bytes: number;
}

const SUBAGENT = /^agent-([\w-]+)\.jsonl$/;

/** The session whose file this is, with its subagents: in a folder of the session's name or, in older versions, beside it. Throws when there is no such file. */
export function sessionFiles(path: string): SessionFiles {
  const { size, mtimeMs } = statSync(path);
  const own = join(dirname(path), basename(path, '.jsonl'), 'subagents');
  const subagents = entriesOf(own).flatMap((entry) => subagentFile(own, entry.name));
  return { path, bytes: size, modifiedMs: mtimeMs, subagents };
}

/** Whether a file of that name holds a subagent of some session. */
export function isSubagentFile(path: string): boolean {
  return SUBAGENT.test(basename(path));
}

/** The subagents in files beside those of their sessions, by session: only the first row tells which. */
export function subagentsBeside(folder: string): ReadonlyMap<string, readonly SubagentFile[]> {
  const bySession = new Map<string, SubagentFile[]>();
  for (const { name } of entriesOf(folder)) {
    for (const file of subagentFile(folder, name)) {
      const sessionId = sessionOf(file.path);
      if (sessionId !== undefined) bySession.set(sessionId, [...(bySession.get(sessionId) ?? []), file]);
    }
  }
  return bySession;
}

function subagentFile(folder: string, name: string): SubagentFile[] {
  const agentId = SUBAGENT.exec(name)?.[1];
  if (agentId === undefined) return [];
  const path = join(folder, name);
  const meta = fieldsOf(readJson(path.replace(/\.jsonl$/, '.meta.json')));
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return [{ path, bytes, ...subagentOf(agentId, meta) }];
}

/** What stands in the `.meta.json` beside a subagent's file. */
export function subagentOf(agentId: string, meta: unknown): Subagent {
  const fields = fieldsOf(meta);
  return {
    agentId,
    ...given('agentName', stringIn(fields, 'agentType')),
    ...given('toolCallId', stringIn(fields, 'toolUseId')),
    ...(fields?.['requestShape'] === 'background' ? { inBackground: true } : {}),
  };
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function sessionOf(path: string): string | undefined {
  for (const line of linesOf(path)) {
    const row = readRow(line);
    if (row !== 'silent' && !('skipped' in row)) return stringIn(row.fields, 'sessionId');
  }
  return undefined;
}
