import { type CollectedSpan, text, toolUse, when } from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';
import { PUBLIC_KEY, SECRET_KEY } from '../../packages/claude-langfuse/src/__fixtures__/fake-langfuse.ts';
import { runAgainst, treeOf, WORLD } from './run-example.ts';

const TOKEN = 'pylf_v1_us_0123456789abcdef';
const RULES = [
  when.toolResult('toolu_ls', /many-at-once\.ts/).reply(text('Programs and a demo.')),
  when.lastUserText('Look around').reply(toolUse({ id: 'toolu_ls', name: 'Bash', input: { command: 'ls -A' } })),
];
const call = expect.stringMatching(/^ *chat claude-/);
const RUN = ['invoke_agent guide', call, '  execute_tool Bash', call];

/** Runs an example in a world that is a collector on this machine. */
const runInWorld = (file: string, env: (url: string) => Readonly<Record<string, string>>) =>
  runAgainst({ rules: RULES, file, words: ['Look around'], env: (url) => ({ ...env(url), [WORLD]: url }) });

type Sent = Awaited<ReturnType<typeof runInWorld>>;

/** Where the requests went, each address once, and the header that names the key. */
const addresses = ({ requests }: Sent, key: string): readonly string[] => [
  ...new Set(requests.map(({ path, headers }) => `${headers['host']}${path} ${headers[key]}`)),
];

const json = (span: CollectedSpan | undefined, key: string): unknown => JSON.parse(String(span?.attributes[key]));

describe('the example for', () => {
  test('Honeycomb sends its run to the region, with columns of its own and the one content that it lets out', async () => {
    const run = await runInWorld('honeycomb.ts', () => ({
      HONEYCOMB_API_KEY: 'hcaik_key',
      OTEL_SERVICE_NAME: 'guide',
    }));
    expect(run.ended).toEqual({ code: 0, stdout: 'Programs and a demo.\n', stderr: '' });
    expect(addresses(run, 'x-honeycomb-team')).toEqual(['api.honeycomb.io/v1/traces hcaik_key']);
    expect(treeOf(run.spans)).toEqual(RUN);
    for (const { attributes, resource } of run.spans) {
      expect(attributes).toMatchObject({ 'user.id': 'ada', 'app.plan': 'pro' });
      // The dataset of an environment is the name of the service.
      expect(resource['service.name']).toBe('guide');
    }
    expect(json(run.spans[2], 'gen_ai.tool.call.arguments')).toEqual({ command: 'ls -A' });
    expect(JSON.stringify(run.spans.map(({ attributes }) => attributes))).not.toMatch(/Look around|Programs and a/);
  });

  test('Datadog sends its run to the site, as LLM Observability wants it', async () => {
    const env = {
      DD_API_KEY: '0123456789abcdef0123456789abcdef',
      DD_SITE: 'datadoghq.eu',
      DD_SERVICE: 'guide',
      DD_ENV: 'test',
    };
    const run = await runInWorld('datadog.ts', () => env);
    expect(run.ended).toEqual({ code: 0, stdout: 'Programs and a demo.\n', stderr: '' });
    expect(addresses(run, 'dd-api-key')).toEqual([`otlp.datadoghq.eu/v1/traces ${env.DD_API_KEY}`]);
    expect(new Set(run.requests.map(({ headers }) => headers['dd-otlp-source']))).toEqual(new Set(['llmobs']));
    expect(treeOf(run.spans)).toEqual(RUN);
    expect(run.spans[0]?.resource).toMatchObject({ 'service.name': 'guide', 'deployment.environment.name': 'test' });
    expect(json(run.spans[3], 'gen_ai.output.messages')).toMatchObject([
      { role: 'assistant', parts: [{ type: 'text', content: 'Programs and a demo.' }] },
    ]);
    expect(run.spans[2]?.attributes).not.toHaveProperty(['gen_ai.tool.call.arguments']);
  });

  test('Grafana sends its run to the gateway of the zone, inside the step of the program', async () => {
    const run = await runInWorld('grafana.ts', () => ({
      GRAFANA_CLOUD_ZONE: 'prod-eu-west-2',
      GRAFANA_CLOUD_INSTANCE_ID: '123456',
      GRAFANA_CLOUD_API_KEY: 'glc_key',
    }));
    expect(run.ended).toEqual({ code: 0, stdout: 'Programs and a demo.\n', stderr: '' });
    expect(addresses(run, 'authorization')).toEqual([
      `otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/traces Basic ${btoa('123456:glc_key')}`,
    ]);
    expect(treeOf(run.spans)).toEqual(['guide a visitor', '  invoke_agent guide', call, '    execute_tool Bash', call]);
    expect(run.spans[0]?.resource).toMatchObject({ 'service.name': 'guide', 'deployment.environment.name': 'test' });
  });

  test('many at once sends one trace to each, in its words, with what it may see', async () => {
    const { ended, requests, spans } = await runInWorld('many-at-once.ts', (url) => ({
      HONEYCOMB_API_KEY: 'hcaik_key',
      LOGFIRE_TOKEN: TOKEN,
      LANGFUSE_PUBLIC_KEY: PUBLIC_KEY,
      LANGFUSE_SECRET_KEY: SECRET_KEY,
      PHOENIX_COLLECTOR_ENDPOINT: url,
    }));
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [answer, stats = '{}'] = ended.stdout.split('\n');
    expect(answer).toBe('Programs and a demo.');
    const all = { delivered: 4, queued: 0, dropped: {} };
    expect(JSON.parse(stats)).toEqual({ honeycomb: all, logfire: all, langfuse: all, phoenix: all });

    const hosts = new Set(requests.map(({ headers, path }) => `${headers['host']?.replace(/^127.*/, 'here')}${path}`));
    expect([...hosts].toSorted()).toEqual([
      'api.honeycomb.io/v1/traces',
      'cloud.langfuse.com/api/public/otel/v1/traces',
      'here/v1/traces',
      'logfire-us.pydantic.dev/v1/traces',
    ]);
    const whole = spans.filter(({ attributes }) => attributes['logfire.span_type'] !== 'pending_span');
    expect(new Set(whole.map(({ traceId }) => traceId)).size).toBe(1);
    expect(whole).toHaveLength(16);
    const inWordsOf = (key: string) => {
      const own = whole.filter(({ attributes }) => key in attributes);
      const sent = JSON.stringify(own.map(({ attributes }) => attributes));
      return {
        tree: treeOf(own),
        hasAnswer: sent.includes('Programs and a demo.'),
        hasCommand: sent.includes('ls -A'),
      };
    };
    const model = expect.stringMatching(/^ {2}claude-/);
    expect({
      langfuse: inWordsOf('langfuse.observation.type'),
      logfire: inWordsOf('logfire.msg'),
      phoenix: inWordsOf('openinference.span.kind'),
    }).toEqual({
      langfuse: { tree: ['guide', model, '  Bash', model], hasAnswer: true, hasCommand: false },
      logfire: { tree: RUN, hasAnswer: false, hasCommand: true },
      phoenix: { tree: RUN, hasAnswer: true, hasCommand: true },
    });
  });
});
