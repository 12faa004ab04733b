import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Environment } from '@spanprism/core/child';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findClaude, ranMark } from './find-claude.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-find-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(path: string, mode = 0o755, text = '#!/bin/sh\n'): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  chmodSync(full, mode);
  return full;
}

const pathOf = (...folders: readonly string[]): { readonly PATH: string } => ({
  PATH: folders.map((folder) => join(root, folder)).join(delimiter),
});

describe('claude is', () => {
  test('the first program of that name on PATH, and no folder and nothing that cannot be run', () => {
    mkdirSync(join(root, 'a', 'claude'), { recursive: true });
    program('b/claude', 0o644);
    const found = program('c/claude');
    program('d/claude');
    const own = program('bin/spanprism');
    expect(findClaude({ env: pathOf('a', 'b', 'c', 'd'), cwd: root }, own)).toEqual({ path: found, from: 'path' });
  });

  test('never ourselves, under whatever name', () => {
    const own = program('bin/spanprism.js');
    mkdirSync(join(root, 'a'));
    symlinkSync(own, join(root, 'a', 'claude'));
    const found = program('b/claude');
    expect(findClaude({ env: pathOf('a', 'b'), cwd: root }, own).path).toBe(found);
  });

  test.each([
    '#!/bin/sh\nexec spanprism claude "$@"\n',
    '#!/usr/bin/env bash\n# always traced\nset -e\nnpx spanprism --quiet "claude" "$@"\n',
    '#!/bin/sh\n"/opt/tools/spanprism" --otlp-endpoint http://collector:4318 claude "$@"\n',
    '#!/bin/sh\nexec sprism claude "$@"\n',
    '#!/bin/sh\nexec spanprism \\\n  claude "$@"\n',
    '#!/bin/sh\nS=spanprism; exec $S claude "$@"\n',
  ])('never a script that puts us before it: %j', (text) => {
    program('a/claude', 0o755, text);
    const found = program('b/claude');
    expect(findClaude({ env: pathOf('a', 'b'), cwd: root }, program('bin/spanprism')).path).toBe(found);
  });

  test.each([
    '#!/bin/sh\nexec /srv/spanprism/node_modules/claude/cli.js "$@"\n',
    '#!/bin/sh\n# not spanprism claude\nexec /opt/claude "$@"\n',
    '\u007fELF\nspanprism claude\n',
  ])('any other that has our name in it: %j', (text) => {
    const found = program('a/claude', 0o755, text);
    expect(findClaude({ env: pathOf('a'), cwd: root }, program('bin/spanprism')).path).toBe(found);
  });

  test('never again what our own parent ran as claude, whatever words it runs us by', () => {
    const wrapper = program('a/claude', 0o755, '#!/bin/sh\nexec node /opt/x/main.js claude "$@"\n');
    const found = program('b/claude');
    const own = program('bin/spanprism');
    const { SPANPRISM_RAN: mark = '' } = ranMark(wrapper, {});
    expect(mark.split(delimiter)).toEqual(['1', String(process.pid), wrapper]);
    const byParent = { ...pathOf('a', 'b'), SPANPRISM_RAN: [1, process.ppid, wrapper].join(delimiter) };
    expect(findClaude({ env: byParent, cwd: root }, own).path).toBe(found);
    expect(findClaude({ env: { ...byParent, ...pathOf('a') }, cwd: root }, own).path).not.toBe(wrapper);
    // An agent that starts another: what stands between is claude itself.
    const byAgent = { ...pathOf('a', 'b'), SPANPRISM_RAN: [1, 1, wrapper].join(delimiter) };
    expect(findClaude({ env: byAgent, cwd: root }, own).path).toBe(wrapper);
  });

  test('not started for ever by what starts us out of sight', () => {
    let env: Environment = {};
    const startAgain = (): void => void (env = { SPANPRISM_RAN: String(ranMark('/a/claude', env)['SPANPRISM_RAN']) });
    for (let times = 0; times < 8; times++) startAgain();
    expect(startAgain).toThrow(
      '/a/claude was started by spanprism and started it again, 8 times over; if it is a script that runs spanprism, let it do so with exec',
    );
  });

  test('the one that the Agent SDK of the project brings, where PATH has none', () => {
    const scope = 'node_modules/@anthropic-ai';
    program(`${scope}/claude-agent-sdk/sdk.mjs`, 0o644);
    writeFileSync(join(root, scope, 'claude-agent-sdk/package.json'), '{ "main": "sdk.mjs" }');
    const platform = `claude-agent-sdk-${process.platform}-${process.arch}`;
    const found = program(`${scope}/${platform}/${process.platform === 'win32' ? 'claude.exe' : 'claude'}`);
    writeFileSync(join(root, scope, platform, 'package.json'), '{}');
    const own = program('bin/spanprism');
    expect(findClaude({ env: { PATH: '' }, cwd: root }, own)).toEqual({ path: found, from: 'sdk' });
  });
});
