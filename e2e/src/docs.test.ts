import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, inject, test } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const app = inject('packedFolder');

/** Links between the packages go in circles, so no walk through all that is below. */
const files = (pattern: string): readonly string[] => globSync(pattern, { cwd: root }).map((file) => join(root, file));

const pages = [join(root, 'README.md'), ...files('docs/**/*.md'), ...files('packages/*/README.md')];
const read = (file: string): string => readFileSync(file, 'utf8');

/** What a block may use without saying where it comes from: names that the page has introduced before. */
const PRELUDE = `
import type * as claude from '@anthropic-ai/claude-agent-sdk';
import type * as core from '@spanprism/core';
import type * as otlp from '@spanprism/claude-otlp';
declare global {
  const sdk: typeof claude;
  const query: typeof claude.query;
  const tracing: core.Tracing;
  const createTracing: typeof core.createTracing;
  const consoleSink: typeof core.consoleSink;
  const otlpSink: typeof otlp.otlpSink;
}
`;

const OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  module: 'nodenext',
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
};

describe('code in the documentation', () => {
  const folder = join(app, 'documentation');

  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(join(folder, 'prelude.d.mts'), PRELUDE);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, include: ['*.mts'] }));
    for (const page of pages) {
      const blocks = [...read(page).matchAll(/^```ts\n(.*?)^```$/gms)];
      const name = relative(root, page).replaceAll(/\W/g, '-');
      for (const [index, [, code = '']] of blocks.entries()) {
        writeFileSync(join(folder, `${name}-${index + 1}.mts`), `${code}export {};\n`);
      }
    }
  });

  test('compiles against the packages as they are published', () => {
    expect(readdirSync(folder).length).toBeGreaterThan(pages.length);
    expect(complaints()).toBe('');
  });

  function complaints(): string {
    try {
      return execFileSync('tsc', ['-p', folder], { encoding: 'utf8' });
    } catch (error) {
      return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    }
  }
});

test.each(pages.map((page) => relative(root, page)))('every link in %s leads somewhere', (page) => {
  const links = [...read(join(root, page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
    return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  });
  expect(broken).toEqual([]);
});

/** As GitHub makes them from headings. */
function anchorsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

test('every environment variable that a package names is in the table of variables', () => {
  const sources = files('packages/{core,claude-*}/src/**/*.ts').filter(
    (file) => !/\.test\.ts$|__fixtures__/.test(file),
  );
  const documented = ['environment.md', 'sources.md'].map((page) => read(join(root, 'docs', page))).join('\n');
  const named = sources.flatMap((file) =>
    [
      ...read(file).matchAll(
        /\b((?:OTEL|CLAUDE_CODE|ANTHROPIC|LOGFIRE|LANGFUSE)_[A-Z0-9_]*[A-Z0-9]|TRACEPARENT|TRACESTATE|NO_COLOR)\b/g,
      ),
    ].map(([name]) => name),
  );
  expect(named.length).toBeGreaterThan(20);
  expect([...new Set(named)].filter((name) => !documented.includes(`\`${name}\``)).sort()).toEqual([]);
});
