import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { answer, claudeBinary, makeProject, startCollector, text, when } from '@spanprism/testkit';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { endAll, runClaude, startCollect, temporaryFolder } from './collect-process.ts';
import { expectWhole, exportsTo, FULL_SHAPE, PROTOCOLS, RULES } from './collect-runs.ts';
import { usage } from './replies.ts';

const { absent } = claudeBinary(import.meta.url);

afterEach(endAll);

describe.skipIf(absent !== undefined)('spanprism collect', () => {
  test('traces three real runs at once, whatever they speak, and hands their metrics on as they came', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    const collecting = await startCollect({
      folder: folder.path,
      args: ['--otlp-endpoint', backend.url, '--settle', '1'],
    });
    const protocols = Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[];
    const costs = await Promise.all(
      protocols.map((protocol) =>
        runClaude({
          prompt: 'begin',
          rules: RULES,
          env: { ...exportsTo(collecting, protocol), OTEL_RESOURCE_ATTRIBUTES: `spoke=${protocol}` },
        }),
      ),
    );
    expect(await collecting.stop()).toBe(0);
    for (const cost of costs) expectWhole(backend, cost);
    expect(backend.spans().length).toBe(3 * FULL_SHAPE.length);
    // Whoever counted, counted each call once, and each count is at the backend once.
    for (const [index, protocol] of protocols.entries()) {
      const metrics = backend.metrics().filter(({ resource }) => resource['spoke'] === protocol);
      const points = metrics
        .filter(({ name }) => name === 'claude_code.token.usage')
        .flatMap((metric) => metric.points);
      const total = points.reduce((sum, { value }) => sum + Number(value), 0);
      expect(total, protocol).toBe((costs[index]?.inputTokens ?? 0) + (costs[index]?.outputTokens ?? 0));
    }
    const own = backend.requests.filter(({ signal, path }) => signal === 'logs' || !path.startsWith('/v1/'));
    expect(own).toEqual([]);
  });

  test('places runs that share a session and a TRACEPARENT: each turn once, below the step that began it', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    const collecting = await startCollect({
      folder: folder.path,
      args: ['--otlp-endpoint', backend.url, '--settle', '1'],
    });
    const step = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
    const env = { ...exportsTo(collecting, 'http/protobuf'), TRACEPARENT: `00-${step.traceId}-${step.spanId}-01` };
    const sessionId = '11111111-2222-4333-8444-555555555555';
    await using project = await makeProject();
    const turn = (prompt: string, args: readonly string[]) =>
      runClaude({
        prompt,
        rules: [when.lastUserText(prompt).reply(answer(text('ok'), { usage: usage(100, 10) }))],
        env,
        args,
        project,
      });
    await turn('first', ['--session-id', sessionId]);
    await turn('second', ['--resume', sessionId]);
    expect(await collecting.stop()).toBe(0);
    const spans = backend.spans().filter(({ attributes }) => attributes['gen_ai.conversation.id'] === sessionId);
    const turns = spans.filter(({ name }) => name === 'invoke_agent claude');
    expect(turns.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual([
      [step.traceId, step.spanId],
      [step.traceId, step.spanId],
    ]);
    expect(spans.filter(({ name }) => name.startsWith('chat')).map(({ parentSpanId }) => parentSpanId)).toEqual(
      turns.map(({ spanId }) => spanId),
    );
  });

  test('takes a real run with its token over TLS only, by each protocol', async (context) => {
    await using folder = await temporaryFolder();
    const certificate = selfSigned(folder.path);
    if (certificate === undefined) return context.skip('openssl is not here');
    await using backend = await startCollector();
    const { cert, key } = certificate;
    const collecting = await startCollect({
      folder: folder.path,
      scheme: 'https',
      args: ['--otlp-endpoint', backend.url, '--settle', '1', '--tls-cert', cert, '--tls-key', key],
      env: { SPANPRISM_COLLECT_TOKEN: 'open-sesame', NODE_EXTRA_CA_CERTS: cert },
    });
    const env = { NODE_EXTRA_CA_CERTS: cert };
    const withToken = { ...env, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer open-sesame' };
    const run = (protocol: keyof typeof PROTOCOLS, extra: Record<string, string>) =>
      runClaude({ prompt: 'begin', rules: RULES, env: { ...exportsTo(collecting, protocol), ...extra } });
    // The CLI's gRPC reads its authorities from a variable of its own, and finds none for a bare address.
    const grpc = {
      OTEL_EXPORTER_OTLP_CERTIFICATE: cert,
      OTEL_EXPORTER_OTLP_ENDPOINT: collecting.grpc.replace('127.0.0.1', 'localhost'),
    };
    const [byHttp, byGrpc] = await Promise.all([
      run('http/protobuf', withToken),
      run('grpc', { ...withToken, ...grpc }),
    ]);
    await run('http/json', env);
    expect(await collecting.stop()).toBe(0);
    expectWhole(backend, byHttp);
    expectWhole(backend, byGrpc);
    expect(backend.spans().length).toBe(2 * FULL_SHAPE.length);
  });
});

describe('spanprism collect, as a server', () => {
  test.each([
    [['--host', '0.0.0.0'], /lets other machines in, and there is no token; give one by SPANPRISM_COLLECT_TOKEN/],
    [['--tls-cert', 'cert.pem'], /--tls-cert is given without --tls-key/],
    [['--port', '70000'], /--port 70000 cannot be; give a whole number/],
    [['--fsync', 'sometimes'], /--fsync sometimes is no policy; use second or always/],
  ])('with %j says what is wrong and ends with 2', (args, message) => {
    const main = join(inject('packedFolder'), 'node_modules', 'spanprism', 'dist', 'main.js');
    const { status, stderr, stdout } = spawnSync(process.execPath, [main, 'collect', ...args], {
      encoding: 'utf8',
      env: {},
    });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

function selfSigned(folder: string): { readonly cert: string; readonly key: string } | undefined {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const { status } = spawnSync('openssl', [...words, ...subject, '-keyout', key, '-out', cert]);
  return status === 0 ? { cert, key } : undefined;
}
