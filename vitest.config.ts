import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their sources, so that no test needs a build.
const conditions = ['@spanprism/source', 'node', 'development|production'];
const resolution = { resolve: { conditions }, ssr: { resolve: { conditions } } };

// One process per core. Vitest leaves a core to itself, which on a machine of two is half of it; its own process mostly waits.
const maxWorkers = '100%';

// No test measures time: the limit is for what hangs. Ten thousand spans through a vendor's SDK take seconds on a busy machine.
const unit = (name: string) => ({
  ...resolution,
  test: { name, root: `packages/${name}`, include: ['src/**/*.test.ts'], testTimeout: 60_000, maxWorkers },
});

// Where the peers are real processes and sockets, a machine that stands still for a second can be what failed: once, it says so.
const retry = process.env['CI'] === undefined ? 0 : 1;
const withProcesses = (name: string) => {
  const project = unit(name);
  return { ...project, test: { ...project.test, retry } };
};

const sentry = unit('claude-sentry');
const sentry10 = {
  ...sentry,
  resolve: { ...resolution.resolve, alias: { '@sentry/node': 'sentry-node-10' } },
  test: { ...sentry.test, name: 'claude-sentry on 10' },
};

export default defineConfig({
  test: {
    projects: [
      withProcesses('core'),
      unit('claude-otlp'),
      unit('claude-langfuse'),
      unit('claude-logfire'),
      sentry,
      // The same tests on the major before.
      sentry10,
      unit('register'),
      withProcesses('store'),
      unit('testkit'),
      withProcesses('cli'),
      {
        ...resolution,
        test: {
          name: 'e2e',
          root: 'e2e',
          include: ['src/**/*.test.ts'],
          globalSetup: 'src/packed.ts',
          testTimeout: 120_000,
          // A port that a test is given may have been another program's a moment ago, whose client still calls.
          retry,
          maxWorkers,
          hookTimeout: 300_000,
        },
      },
      {
        ...resolution,
        test: {
          name: 'backends',
          root: 'e2e',
          include: ['backends/**/*.test.ts'],
          globalSetup: 'backends/prepare.ts',
          testTimeout: 60_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
