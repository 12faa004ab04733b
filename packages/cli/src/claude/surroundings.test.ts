import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settingsEnvironment, settingsOverrides } from './settings-override.ts';
import { gitBranch } from './surroundings.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spanprism-around-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

test('the branch is that of the repository around the folder, slashes and all', () => {
  write('.git/HEAD', 'ref: refs/heads/feature/one\n');
  mkdirSync(join(root, 'deep/er'), { recursive: true });
  expect(gitBranch(join(root, 'deep/er'))).toBe('feature/one');
});

test('of a worktree, the branch is its own', () => {
  write('main/.git/worktrees/other/HEAD', 'ref: refs/heads/other\n');
  write('other/.git', 'gitdir: ../main/.git/worktrees/other\n');
  expect(gitBranch(join(root, 'other'))).toBe('other');
});

test('a detached head is no branch', () => {
  write('.git/HEAD', '0123456789abcdef0123456789abcdef01234567\n');
  expect(gitBranch(root)).toBeUndefined();
});

test('settings that say something else than our environment are found, wherever they stand', () => {
  write('home/.claude/settings.json', '{ "env": { "OTEL_LOGS_EXPORTER": "none", "OTHER": "1" } }');
  write('project/.claude/settings.local.json', '{ "env": { "OTEL_TRACES_EXPORTER": "otlp" } }');
  write('project/.claude/settings.json', 'not JSON');
  write('project/more.json', '{ "env": { "CLAUDE_CODE_ENABLE_TELEMETRY": 0 } }');
  const made = {
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_TRACES_EXPORTER: 'otlp',
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    OTHER: '2',
  };
  const more = join(root, 'project/more.json');
  const search = { env: { HOME: join(root, 'home'), OTHER: '2' }, cwd: join(root, 'project'), made };
  expect(settingsOverrides({ ...search, args: ['-p', 'hi', '--settings', more] })).toEqual([
    { file: join(root, 'home/.claude/settings.json'), names: ['OTEL_LOGS_EXPORTER'] },
    { file: more, names: ['CLAUDE_CODE_ENABLE_TELEMETRY'] },
  ]);
  expect(
    settingsOverrides({ ...search, args: ['--settings={"env":{"OTEL_LOGS_EXPORTER":"console"}}'] }),
  ).toContainEqual({
    file: '--settings',
    names: ['OTEL_LOGS_EXPORTER'],
  });
});

test('what settings put over the environment: the nearest has the last word', () => {
  write('home/.claude/settings.json', '{ "env": { "A": "home", "B": 1, "C": "home" } }');
  write('project/.claude/settings.local.json', '{ "env": { "A": "project" } }');
  const place = { env: { HOME: join(root, 'home') }, cwd: join(root, 'project') };
  expect(settingsEnvironment({ ...place, args: ['--settings', '{"env":{"C":"given"}}'] })).toEqual({
    A: 'project',
    B: '1',
    C: 'given',
  });
});

test('settings that a shell writes into a pipe are not waited for', () => {
  const pipe = join(root, 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(settingsOverrides({ env: { HOME: root }, cwd: root, made: { A: '1' }, args: ['--settings', pipe] })).toEqual(
    [],
  );
});
