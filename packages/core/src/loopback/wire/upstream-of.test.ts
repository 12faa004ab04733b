import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Upstream } from './upstream.ts';
import { upstreamOf, withoutProxy } from './upstream-of.ts';

const found = (environment: Record<string, string>) => {
  const result = upstreamOf(environment);
  return 'upstream' in result ? result.upstream : result.reason;
};

describe('the upstream', () => {
  test('is Anthropic’s API unless the user says otherwise', () => {
    expect(found({})).toEqual({ host: 'api.anthropic.com', port: 443, isTls: true, basePath: '', tls: {} });
    expect(found({ ANTHROPIC_BASE_URL: '' })).toMatchObject({ host: 'api.anthropic.com' });
  });

  test.each([
    ['http://127.0.0.1:8080', { host: '127.0.0.1', port: 8080, isTls: false, basePath: '' }],
    ['http://gateway/', { host: 'gateway', port: 80, isTls: false, basePath: '' }],
    ['https://gw.example/llm/anthropic/', { host: 'gw.example', port: 443, isTls: true, basePath: '/llm/anthropic' }],
    ['http://[::1]:9/x', { host: '::1', port: 9, isTls: false, basePath: '/x' }],
  ])('is the base URL that he has set: %s', (url, expected) => {
    expect(found({ ANTHROPIC_BASE_URL: url })).toMatchObject(expected);
  });

  test.each(['nonsense', 'ftp://a'])('is left alone where that is none: %s', (url) => {
    expect(found({ ANTHROPIC_BASE_URL: url })).toBe('ANTHROPIC_BASE_URL is no http or https URL');
  });

  test.each(['https://user:secret@a', 'https://user@a', 'https://:secret@a'])(
    'is left alone where it has credentials in it, which are not told: %s',
    (url) => {
      expect(found({ ANTHROPIC_BASE_URL: url })).toBe(
        'ANTHROPIC_BASE_URL has a user or password in it, which only the CLI itself can send',
      );
    },
  );

  test.each([
    ['CLAUDE_CODE_USE_BEDROCK', 'Amazon Bedrock'],
    ['CLAUDE_CODE_USE_VERTEX', 'Google Vertex AI'],
    ['CLAUDE_CODE_USE_FOUNDRY', 'Microsoft Foundry'],
    ['CLAUDE_CODE_USE_ANTHROPIC_AWS', 'Claude on AWS'],
    ['CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD', 'Claude on Google Cloud'],
    ['CLAUDE_CODE_USE_MANTLE', 'Amazon Bedrock (Mantle)'],
  ])('is left alone in a cloud: %s', (name, cloud) => {
    expect(found({ [name]: '1' })).toBe(`${name} is set: requests to ${cloud} are not captured`);
    expect(found({ [name]: '0' })).toMatchObject({ host: 'api.anthropic.com' });
  });
});

describe('a proxy', () => {
  test('is used as the CLI would use it', () => {
    expect(found({ HTTPS_PROXY: 'http://proxy:3128' })).toMatchObject({
      proxy: { host: 'proxy', port: 3128, isTls: false },
    });
    expect(found({ HTTP_PROXY: 'http://a', https_proxy: 'https://b' })).toMatchObject({
      proxy: { host: 'b', port: 443, isTls: true },
    });
    expect(found({ HTTPS_PROXY: 'proxy:3128' })).toMatchObject({ proxy: { host: 'proxy', port: 3128 } });
    expect(found({ HTTPS_PROXY: 'http://me:p%40ss@proxy' })).toMatchObject({
      proxy: { authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
    });
    expect(found({ ANTHROPIC_BASE_URL: 'http://plain', HTTP_PROXY: 'http://proxy' })).toMatchObject({
      isTls: false,
      proxy: { host: 'proxy', port: 80 },
    });
  });

  // What the CLI 2.1.329 asked, and of whom, with two proxies to choose from.
  test.each([
    [{ ALL_PROXY: 'http://one', HTTP_PROXY: 'http://two' }, 'two'],
    [{ ALL_PROXY: 'http://one', HTTP_PROXY: '' }, 'one'],
    [{ ALL_PROXY: 'http://one', all_proxy: 'http://two' }, 'two'],
    [{ ALL_PROXY: 'one:3128' }, 'one'],
    [{ ALL_PROXY: 'socks5://one' }, undefined],
    [{ ALL_PROXY: 'socks5://one', HTTP_PROXY: 'http://two' }, 'two'],
    [{ ALL_PROXY: 'http://one', NO_PROXY: 'api.anthropic.com:443' }, undefined],
  ])('for all is asked last: %o', (environment, host) => {
    const upstream = found(environment) as Upstream;
    expect(upstream.proxy?.host).toBe(host);
  });

  test.each([
    ['me:se%40cret', 'me:se@cret'],
    ['me', 'me:'],
    [':secret', ':secret'],
    ['me:100%', undefined],
  ])('gets the credentials that the CLI would send: %s', (userinfo, sent) => {
    const upstream = found({ HTTPS_PROXY: `http://${userinfo}@proxy` }) as Upstream;
    const authorization = sent === undefined ? undefined : `Basic ${Buffer.from(sent).toString('base64')}`;
    expect(upstream.proxy?.authorization).toBe(authorization);
  });

  test.each([
    '*',
    'anthropic.com',
    '.anthropic.com',
    '*.anthropic.com',
    'a, api.anthropic.com',
    'api.anthropic.com:443 b',
  ])('is not for whom NO_PROXY exempts: %s', (exempt) => {
    expect(found({ HTTPS_PROXY: 'http://proxy', NO_PROXY: exempt })).not.toHaveProperty('proxy');
  });

  test.each(['thropic.com', 'api.anthropic.com:80', 'b.api.anthropic.com'])('is for whom it does not: %s', (exempt) => {
    expect(found({ HTTPS_PROXY: 'http://proxy', no_proxy: exempt })).toHaveProperty('proxy');
  });

  test('that speaks another protocol is left to the CLI', () => {
    expect(found({ HTTPS_PROXY: 'socks5://proxy' })).toBe('the proxy that the environment names is none for HTTP');
  });

  test('must not catch what goes to us, and nothing else changes for it', () => {
    expect(withoutProxy({}, '127.0.0.1:9')).toEqual({ NO_PROXY: '127.0.0.1:9' });
    expect(withoutProxy({ NO_PROXY: 'a' }, '127.0.0.1:9')).toEqual({ NO_PROXY: 'a,127.0.0.1:9' });
    expect(withoutProxy({ NO_PROXY: 'a', no_proxy: 'b' }, '127.0.0.1:9')).toEqual({ no_proxy: 'b,127.0.0.1:9' });
    expect(withoutProxy({ NO_PROXY: '*' }, '127.0.0.1:9')).toEqual({});
  });
});

test('certificates that the child would trust and show are read; what is not there it does without', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanprism-'));
  try {
    const [ca, cert] = ['ca.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string];
    writeFileSync(ca, 'CA');
    writeFileSync(cert, 'CERT');
    expect(
      found({
        NODE_EXTRA_CA_CERTS: ca,
        CLAUDE_CODE_CLIENT_CERT: cert,
        CLAUDE_CODE_CLIENT_KEY: join(folder, 'missing.pem'),
        CLAUDE_CODE_CLIENT_KEY_PASSPHRASE: 'open',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
      }),
    ).toMatchObject({ tls: { extraCa: 'CA', cert: 'CERT', passphrase: 'open', allowsAnyCertificate: true } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
