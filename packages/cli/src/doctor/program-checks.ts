import { findClaude } from '../claude/find-claude.ts';
import { ok, type Row, rowsOf, type Surroundings } from './finding.ts';
import { runProgram } from './run-program.ts';

/** `node:sqlite` without a flag, and zstd. */
const OLDEST_NODE = '22.15.0';

export function nodeRows(version: string): readonly Row[] {
  if (isAtLeast(version, OLDEST_NODE)) return [ok('node', version)];
  return rowsOf(
    'node',
    [
      {
        code: 'node_too_old',
        what: `Node ${version} is too old: the command needs ${OLDEST_NODE.replace(/\.0$/, '')}`,
        where: process.execPath,
        fix: 'Install Node 24. The libraries themselves run on 20.19 too.',
      },
    ],
    '',
  );
}

function isAtLeast(version: string, oldest: string): boolean {
  const [parts, least] = [version, oldest].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  for (const [index, wanted] of least!.entries()) {
    const part = parts![index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** Whether there is a `claude`, and whether it starts. */
export async function claudeRows(around: Surroundings): Promise<readonly Row[]> {
  const { env, cwd } = around;
  const path = pathOfClaude(around);
  if (path === undefined) {
    const fix = 'Install Claude Code: npm install -g @anthropic-ai/claude-code.';
    const what = 'there is no claude on PATH, and none that the Agent SDK brings';
    return rowsOf('claude', [{ code: 'claude_not_found', what, where: cwd, fix }], '');
  }
  const { stdout, reason } = await runProgram({ file: path, args: ['--version'], env, cwd });
  const [version = ''] = stdout.trim().split('\n');
  if (reason === undefined) return [ok('claude', `${oneLine(version)} (${path})`)];
  const fix = 'Run it yourself to see why; installing Claude Code again helps where its files are damaged.';
  return rowsOf('claude', [{ code: 'claude_fails', what: `claude --version ${reason}`, where: path, fix }], '');
}

function pathOfClaude({ env, cwd }: Surroundings): string | undefined {
  try {
    return findClaude({ env, cwd }).path;
  } catch {
    return undefined;
  }
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').slice(0, 60);
}
