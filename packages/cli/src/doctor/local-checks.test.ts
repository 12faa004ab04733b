import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { makeProject, type Project } from '@spanprism/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Row, Surroundings } from './finding.ts';
import { otelRows } from './otel-check.ts';
import { claudeRows, nodeRows } from './program-checks.ts';
import { sdkRows } from './sdk-check.ts';
import { settingsRows } from './settings-check.ts';
import { storeRows } from './store-check.ts';

let project: Project;
beforeEach(async () => {
  project = await makeProject({});
});
afterEach(() => project.remove());

const around = (env: Record<string, string> = {}): Surroundings => ({
  env: { PATH: process.env['PATH'] ?? '', ...env },
  cwd: project.cwd,
  home: project.home,
});

function write(path: string, content: unknown): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const codes = (rows: readonly Row[]) => rows.map((row) => (row.status === 'problem' ? row.code : row.status));

test.each([
  ['18.20.4', 'node_too_old'],
  ['20.19.0', 'node_too_old'],
  ['22.14.9', 'node_too_old'],
  ['22.15.0', 'ok'],
  ['24.0.1', 'ok'],
])('Node %s: %s', (version, code) => {
  expect(codes(nodeRows(version))).toEqual([code]);
});

describe('claude', () => {
  const program = (text: string): string => {
    const path = write(join(project.home, 'bin', 'claude'), text);
    chmodSync(path, 0o755);
    return dirname(path);
  };
  const withPath = (PATH: string) => claudeRows(around({ PATH }));

  test('is found and says its version', async () => {
    const folder = program('#!/bin/sh\necho "2.1.329 (Claude Code)"\n');
    expect(await withPath(folder)).toEqual([
      { check: 'claude', status: 'ok', detail: `2.1.329 (Claude Code) (${join(folder, 'claude')})` },
    ]);
  });

  test('is there and does not start', async () => {
    const folder = program('#!/bin/sh\nexit 3\n');
    const where = join(folder, 'claude');
    expect(await withPath(folder)).toMatchObject([
      { code: 'claude_fails', what: 'claude --version ended with code 3', where },
    ]);
  });
});

describe('settings files of Claude Code', () => {
  const nowhere = '/nonexistent';
  const BASE = { env: { ANTHROPIC_BASE_URL: 'https://gateway.corp/secret-token' } };
  const places = (): readonly string[] => [
    join(project.home, '.claude', 'settings.json'),
    join(project.cwd, '.claude', 'settings.json'),
    join(project.cwd, '.claude', 'settings.local.json'),
    join(project.home, 'managed', 'managed-settings.json'),
    join(project.home, 'managed', 'managed-settings.d', '10-gateway.json'),
  ];

  test.each([0, 1, 2, 3, 4])('a base URL is found in each of them (%i)', (index) => {
    const path = write(places()[index]!, BASE);
    const rows = settingsRows(around(), join(project.home, 'managed'));
    expect(rows).toMatchObject([{ code: 'settings_base_url', where: path }]);
    expect(JSON.stringify(rows)).not.toContain('secret-token');
  });

  test('the folder that CLAUDE_CONFIG_DIR names is the one that counts', () => {
    write(places()[0]!, BASE);
    const path = write(join(project.home, 'other', 'settings.json'), BASE);
    const rows = settingsRows(around({ CLAUDE_CONFIG_DIR: dirname(path) }), nowhere);
    expect(rows).toMatchObject([{ code: 'settings_base_url', where: path }]);
  });

  test.each<[Record<string, string>, string]>([
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '0' }, 'CLAUDE_CODE_ENABLE_TELEMETRY'],
    [{ CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: 'false' }, 'CLAUDE_CODE_ENHANCED_TELEMETRY_BETA'],
    [{ OTEL_TRACES_EXPORTER: 'console' }, 'OTEL_TRACES_EXPORTER'],
    [{ OTEL_LOGS_EXPORTER: 'none' }, 'OTEL_LOGS_EXPORTER'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/v1/traces' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL'],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, 'OTEL_TRACES_SAMPLER'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  ])('telemetry that goes elsewhere: %j', (env, name) => {
    write(places()[1]!, { env });
    const rows = settingsRows(around(), nowhere);
    expect(rows).toMatchObject([{ code: 'settings_telemetry', what: expect.stringContaining(name) }]);
  });

  test('a file that is no JSON is told, as Claude Code ignores it', () => {
    write(places()[0]!, '{ "env": }');
    expect(codes(settingsRows(around(), nowhere))).toEqual(['settings_malformed']);
  });

  test('settings that do no harm are fine, and so is none at all', () => {
    expect(settingsRows(around(), nowhere)).toEqual([{ check: 'settings', status: 'ok', detail: 'no settings files' }]);
    const env = { CLAUDE_CODE_ENABLE_TELEMETRY: '1', OTEL_TRACES_EXPORTER: 'otlp', OTEL_LOG_USER_PROMPTS: '1' };
    write(places()[0]!, { model: 'opus', env: { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } });
    write(places()[2]!, 'null');
    expect(codes(settingsRows(around(), nowhere))).toEqual(['ok']);
  });
});

describe('majors of OpenTelemetry', () => {
  const install = (path: string, manifest: object) => write(join(project.cwd, path, 'package.json'), manifest);
  const TRACE = '@opentelemetry/sdk-trace-base';

  test('two that one program would load are told, with where they are', () => {
    install('.', { dependencies: { [TRACE]: '*', vendor: '*' } });
    install(`node_modules/${TRACE}`, { name: TRACE, version: '2.12.1' });
    install('node_modules/vendor', { name: 'vendor', version: '1.0.0', dependencies: { [TRACE]: '^1' } });
    install(`node_modules/vendor/node_modules/${TRACE}`, { name: TRACE, version: '1.30.1' });
    const [row] = otelRows(around());
    expect(row).toMatchObject({
      code: 'two_otel_majors',
      what: `${TRACE} is loaded as 1.30.1 and as 2.12.1, which do not see each other's spans`,
      where: `${join(project.cwd, 'node_modules/vendor/node_modules', TRACE)}, ${join(project.cwd, 'node_modules', TRACE)}`,
    });
  });

  test('two that lie side by side, of which nothing loads the other, are fine', () => {
    install('.', { dependencies: { [TRACE]: '*' }, devDependencies: { vendor: '*' } });
    install(`node_modules/${TRACE}`, { name: TRACE, version: '2.12.1', dependencies: { '@opentelemetry/core': '*' } });
    install('node_modules/@opentelemetry/core', { name: '@opentelemetry/core', version: '2.12.1' });
    install('node_modules/vendor', { name: 'vendor', version: '1.0.0', dependencies: { [TRACE]: '^1' } });
    install(`node_modules/vendor/node_modules/${TRACE}`, { name: TRACE, version: '1.30.1' });
    expect(otelRows(around())).toEqual([
      { check: 'opentelemetry', status: 'ok', detail: 'core 2.12.1, sdk-trace-base 2.12.1' },
    ]);
  });

  test('packages that depend on each other end the walk all the same', () => {
    install('.', { dependencies: { a: '*' } });
    install('node_modules/a', { name: 'a', version: '1.0.0', dependencies: { b: '*' } });
    install('node_modules/b', { name: 'b', version: '1.0.0', dependencies: { a: '*' } });
    expect(codes(otelRows(around()))).toEqual(['ok']);
  });

  test('without a program there is nothing to check', () => {
    expect(codes(otelRows({ ...around(), cwd: '/' }))).toEqual(['skipped']);
  });
});

describe('the store', () => {
  const env = () => ({ SPANPRISM_STORE: join(project.home, 'deep', 'spans.db') });

  test('is made where there is none and traces go to it, and is left alone where they do not', async () => {
    expect(codes(await storeRows({ env: env(), isUsed: false }))).toEqual(['skipped']);
    expect(existsSync(env().SPANPRISM_STORE)).toBe(false);
    expect(codes(await storeRows({ env: env(), isUsed: true }))).toEqual(['ok']);
    expect(existsSync(env().SPANPRISM_STORE)).toBe(true);
    expect(codes(await storeRows({ env: env(), isUsed: false }))).toEqual(['ok']);
  });

  test('on a disk with less room than it needs is told', async () => {
    const rows = await storeRows({ env: env(), isUsed: true, minFreeBytes: Number.MAX_SAFE_INTEGER });
    expect(rows).toMatchObject([{ code: 'store_disk_full', where: env().SPANPRISM_STORE }]);
  });

  test('that is another program’s database is not touched', async () => {
    mkdirSync(dirname(env().SPANPRISM_STORE), { recursive: true });
    const database = new DatabaseSync(env().SPANPRISM_STORE);
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    const rows = await storeRows({ env: env(), isUsed: true });
    expect(rows).toMatchObject([{ code: 'store_corrupt', what: 'the file is a database of another program' }]);
  });
});

const packages = fileURLToPath(new URL('../../..', import.meta.url));
const SDK = '@anthropic-ai/claude-agent-sdk';

describe('a program that uses the Agent SDK', () => {
  const register = join(packages, 'register', 'src', 'index.ts');
  const withSdk = (manifest: object = {}): void => {
    write(join(project.cwd, 'package.json'), { dependencies: { [SDK]: '*', '@spanprism/register': '*' }, ...manifest });
    const link = join(project.cwd, 'node_modules', SDK);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(packages, 'testkit', 'node_modules', SDK), link, 'dir');
    expect(existsSync(join(link, 'package.json'))).toBe(true);
  };

  test('and that nothing traces is told', async () => {
    withSdk();
    const where = join(project.cwd, 'package.json');
    const what = 'the program uses the Agent SDK, and nothing traces it';
    expect(await sdkRows(around())).toMatchObject([{ code: 'sdk_not_patched', what, where }]);
  });

  test('is traced where NODE_OPTIONS imports the hook', async () => {
    withSdk();
    const NODE_OPTIONS = `--conditions=@spanprism/source --import=${register}`;
    expect(await sdkRows(around({ NODE_OPTIONS }))).toEqual([
      { check: 'agent sdk', status: 'ok', detail: 'traced by NODE_OPTIONS' },
    ]);
  });

  test('and NODE_OPTIONS that name what is not there is told', async () => {
    withSdk();
    const rows = await sdkRows(around({ NODE_OPTIONS: '--import=@spanprism/nothing' }));
    expect(rows).toMatchObject([{ code: 'sdk_not_patched', what: expect.stringContaining('cannot be imported') }]);
  });

  test.each([
    ['src/agent.ts', 'const { query } = tracing.wrapSdk(sdk);'],
    ['instrument.mjs', 'integrations: [claudeAgentSdkIntegration()]'],
    ['Dockerfile', 'CMD ["node", "--import", "@spanprism/register", "app.js"]'],
    ['package.json', { scripts: { start: 'node --import @spanprism/register app.js' } }],
  ])('is traced by what %s says', async (file, content) => {
    withSdk(typeof content === 'object' ? content : {});
    if (typeof content === 'string') write(join(project.cwd, file), content);
    expect(await sdkRows(around())).toEqual([{ check: 'agent sdk', status: 'ok', detail: `traced by ${file}` }]);
  });

  test('is none where nobody depends on it', async () => {
    write(join(project.cwd, 'package.json'), { dependencies: { zod: '*' } });
    expect(codes(await sdkRows(around()))).toEqual(['skipped']);
  });
});
