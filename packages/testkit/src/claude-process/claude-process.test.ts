import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claudeBinary } from './claude-binary.ts';
import { cleanEnvironment } from './environment.ts';
import { makeProject } from './project.ts';

test('the environment takes nothing over but what a process needs to start', () => {
  const from = {
    PATH: '/bin',
    ANTHROPIC_API_KEY: 'sk-real',
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
    HTTPS_PROXY: 'http://proxy',
    TRACEPARENT: '00-1-1-01',
  };
  expect(
    cleanEnvironment({ home: '/h', apiUrl: 'http://127.0.0.1:1', extra: { MINE: '1', LANG: undefined }, from }),
  ).toEqual({
    PATH: '/bin',
    HOME: '/h',
    USERPROFILE: '/h',
    IS_SANDBOX: '1',
    ANTHROPIC_API_KEY: 'sk-ant-dummy',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    MINE: '1',
  });
});

test('a project has its files and a home of its own, and leaves nothing behind', async () => {
  const project = await makeProject({ 'deep/file.txt': 'x' });
  expect(await readFile(join(project.cwd, 'deep/file.txt'), 'utf8')).toBe('x');
  expect(statSync(project.home).isDirectory()).toBe(true);
  await project.remove();
  expect([project.cwd, project.home].map((folder) => existsSync(folder))).toEqual([false, false]);
});

test('the binary is that of the SDK which the asking file would import', async () => {
  const platform = `claude-agent-sdk-${process.platform}-${process.arch}`;
  const file = process.platform === 'win32' ? 'claude.exe' : 'claude';
  await using project = await makeProject({
    'node_modules/@anthropic-ai/claude-agent-sdk/package.json': '{ "main": "sdk.mjs" }',
    'node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs': '',
    [`node_modules/@anthropic-ai/${platform}/package.json`]: '{}',
    [`node_modules/@anthropic-ai/${platform}/${file}`]: '',
  });
  const path = join(project.cwd, 'node_modules/@anthropic-ai', platform, file);
  expect(claudeBinary(join(project.cwd, 'program.js'))).toEqual({ path });
});
