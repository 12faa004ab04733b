import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeProject, startCollector } from '@spanprism/testkit';
import { expect, inject, test } from 'vitest';
import { binary } from './command-run.ts';
import { NODES } from './lane.ts';

const main = join(inject('packedFolder'), 'node_modules', 'spanprism', 'dist', 'main.js');

interface Document {
  readonly ok: boolean;
  readonly checks: readonly { readonly check: string; readonly status: string; readonly code: string | null }[];
}

/** As it is published, in an environment that shares nothing with this machine, beside a backend that takes everything. */
async function doctor(
  node: string,
): Promise<{ readonly code: number; readonly document: Document; readonly spans: number }> {
  await using project = await makeProject({});
  const collector = await startCollector();
  mkdirSync(join(project.home, 'bin'));
  symlinkSync(binary(), join(project.home, 'bin', 'claude'));
  const env = {
    PATH: join(project.home, 'bin'),
    HOME: project.home,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  };
  const { code, stdout } = await new Promise<{ code: number; stdout: string }>((resolve) => {
    execFile(node, [main, 'doctor', '--json'], { cwd: project.cwd, env }, (error, out) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout: out });
    });
  });
  const spans = collector.spans().length;
  await collector.close();
  return { code, document: JSON.parse(stdout), spans };
}

test.each(['22.15', '24'] as const)('on Node %s a healthy set-up passes', async (version) => {
  const { code, document, spans } = await doctor(NODES[version]);
  expect(document.checks.filter(({ status }) => status === 'problem')).toEqual([]);
  expect({ code, ok: document.ok, spans }).toEqual({ code: 0, ok: true, spans: 1 });
});

test('on a Node that is too old it says so, and checks what it can', async () => {
  const { code, document, spans } = await doctor(NODES['20.19']);
  expect(document.checks.flatMap(({ check, code: found }) => (found === null ? [] : [`${check}: ${found}`]))).toEqual([
    'node: node_too_old',
  ]);
  expect({ code, ok: document.ok, spans }).toEqual({ code: 1, ok: false, spans: 0 });
});
