import { describe, expect, test } from 'vitest';
import { scrubSecrets } from './secrets.ts';

// Made up, in the shapes that the vendors document; put together here so that no scanner of repositories takes them for real ones.
const letters = 'aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY';
const hex = '0123456789abcdef0123456789abcdef';
const run = (length: number): string => letters.repeat(8).slice(0, length);
const upper = (length: number): string => run(length).toUpperCase();
const hexRun = (length: number): string => hex.repeat(4).slice(0, length);
const pem = (name: string, body = `${run(64)}\n${run(64)}\n${run(20)}==`): string =>
  `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----`;

const SECRETS: readonly (readonly [kind: string, secret: string])[] = [
  ['anthropic key', `sk-ant-api03-${run(60)}-AA`],
  ['anthropic key', `sk-ant-oat01-${run(40)}_${run(20)}`],
  ['openai key', `sk-proj-${run(40)}`],
  ['openai key', `sk-${run(48)}`],
  ['openrouter key', `sk-or-v1-${hexRun(64)}`],
  ['langfuse key', 'sk-lf-12345678-90ab-cdef-1234-567890abcdef'],
  ['github token', `ghp_${run(36)}`],
  ['github token', `ghs_${run(36)}`],
  ['github token', `github_pat_${run(22)}_${run(59)}`],
  ['gitlab token', `glpat-${run(20)}`],
  ['slack token', `xoxb-123456789012-1234567890123-${run(24)}`],
  ['slack token', `xapp-1-A0123-123-${run(32)}`],
  ['slack webhook', `hooks.slack.com/services/T0123/B0123/${run(24)}`],
  ['aws key id', `AKIA${upper(16)}`],
  ['aws key id', `ASIA${upper(16)}`],
  ['google key', `AIza${run(35)}`],
  ['google token', `ya29.${run(60)}`],
  ['google token', `GOCSPX-${run(28)}`],
  ['stripe key', `sk_live_${run(24)}`],
  ['stripe key', `rk_test_${run(24)}`],
  ['npm token', `npm_${run(36)}`],
  ['pypi token', `pypi-${run(100)}`],
  ['hugging face token', `hf_${run(34)}`],
  ['logfire token', `pylf_v1_eu_${run(43)}`],
  ['langsmith key', `lsv2_pt_${hexRun(32)}_${hexRun(10)}`],
  ['sentry token', `sntrys_${run(80)}`],
  ['sentry token', `sntryu_${hexRun(64)}`],
  ['grafana token', `glc_${run(60)}`],
  ['grafana token', `glsa_${run(32)}_01234567`],
  ['new relic key', `NRAK-${upper(27)}`],
  ['new relic key', `${hexRun(36)}NRAL`],
  ['honeycomb key', `hcaik_${run(58)}`],
  ['digitalocean token', `dop_v1_${hexRun(64)}`],
  ['sendgrid key', `SG.${run(22)}.${run(43)}`],
  ['jwt', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${run(43)}`],
  ['private key', pem('PRIVATE KEY')],
  ['private key', pem('RSA PRIVATE KEY', `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${hexRun(32)}\n\n${run(64)}`)],
  ['private key', pem('PGP PRIVATE KEY BLOCK')],
  ['private key', `-----BEGIN EC PRIVATE KEY-----\n${run(64)}\n${run(30)}`],
  ['private key', `-----BEGIN PRIVATE KEY-----\\n${run(64)}\\n${run(64)}\\n-----END PRIVATE KEY-----`],
];

/** What goes, what must be left of it. */
const NAMED_SECRETS: readonly (readonly [text: string, scrubbed: string])[] = [
  ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic [redacted: credentials]'],
  [`-H "Authorization: Bearer ${run(30)}"`, '-H "Authorization: Bearer [redacted: credentials]"'],
  [`bearer ${run(40)} was sent`, 'bearer [redacted: credentials] was sent'],
  ['postgres://app:hunter2@db.local:5432/main', 'postgres://app:[redacted: password]@db.local:5432/main'],
  ['redis://:p4ss@cache/0', 'redis://:[redacted: password]@cache/0'],
  [`https://${hex}@o1.ingest.sentry.io/42`, 'https://[redacted: sentry key]@o1.ingest.sentry.io/42'],
  ['{"password": "hunter2"}', '{"password": "[redacted: value]"}'],
  ['{\\"password\\": \\"p@$$w0rd, with more\\"}', '{\\"password\\": \\"[redacted: value]\\"}'],
  [`api_key=${run(32)}&page=2`, 'api_key=[redacted: value]&page=2'],
  [`x-api-key: ${hexRun(32)}`, 'x-api-key: [redacted: value]'],
  [`AWS_SECRET_ACCESS_KEY=${run(20)}/${run(19)}`, 'AWS_SECRET_ACCESS_KEY=[redacted: value]'],
  [`//registry.example/:_authToken=${run(20)}`, '//registry.example/:_authToken=[redacted: value]'],
  ["clientSecret: 'abcdefgh'", "clientSecret: '[redacted: value]'"],
  [`DEPLOY_TOKEN=${hexRun(20)}`, 'DEPLOY_TOKEN=[redacted: value]'],
];

const NO_SECRETS: readonly string[] = [
  'commit 3f786850e387550fdab836ed7e6dc881de23001b',
  '123e4567-e89b-12d3-a456-426614174000',
  'toolu_01A09q90qw90lq917835lq9 msg_013Zva2CMHLNnXjNJJKqJ2EF req_011CSHoEeqs5C35K2UUqR7Fy',
  `sha256:${hexRun(64)}`,
  `data:image/png;base64,iVBORw0KGgo${'AKIA'.repeat(40)}/${run(200)}+AIza${run(100)}==`,
  'sk-learn-pipeline-version-2-with-a-long-name and task-sk-anthology',
  'const password: string = readPassword();',
  'apiKey: process.env.ANTHROPIC_API_KEY, secret: options.secret2',
  'password = undefined; token_count=12345678; max_tokens=100000000',
  'API_KEY=$API_KEY_1 PASSWORD=${PASSWORD_2} --password=<your-password-1>',
  '"api_key": "YOUR_API_KEY_1", "password": "********"',
  'the secret: there is none; basic authentication and bearer tokens are explained below',
  'if (text.includes("-----BEGIN PRIVATE KEY-----")) throw new Error("a key");',
  'https://user@example.com/path and http://localhost:8080/a@b',
  'npm_config_registry, npm_lifecycle_event, hf_hub_download, eyJust.looking.around',
  'Basic usage of GitHub: gh_something, xoxo-love, ASIA, glasses',
];

describe('the secret scanner', () => {
  test.each(SECRETS)('replaces a %s by its kind: %s', (kind, secret) => {
    expect(scrubSecrets(secret)).toBe(`[redacted: ${kind}]`);
    expect(scrubSecrets(`export X="${secret}" && run`)).toBe(`export X="[redacted: ${kind}]" && run`);
  });

  test.each(NAMED_SECRETS)('takes the value and leaves the rest of %s', (text, scrubbed) => {
    expect(scrubSecrets(text)).toBe(scrubbed);
  });

  test.each(NO_SECRETS)('leaves alone what is none: %s', (text) => {
    expect(scrubSecrets(text)).toBe(text);
  });

  test('finds in a long text what it finds in a short one', () => {
    const filler = 'Nothing to see here, move on. '.repeat(40);
    for (const [kind, secret] of SECRETS) {
      expect(scrubSecrets(`${filler}${secret} ${filler}`)).toBe(`${filler}[redacted: ${kind}] ${filler}`);
    }
  });

  test('finds nothing more in what it has scrubbed', () => {
    const scrubbed = [...SECRETS.map(([, secret]) => secret), ...NAMED_SECRETS.map(([text]) => text)].map(scrubSecrets);
    expect(scrubbed.map(scrubSecrets)).toEqual(scrubbed);
  });

  test('comes to an end with ten megabytes made of beginnings', () => {
    for (const piece of [
      'eyJ-',
      'sk-ant',
      '://a:',
      'password="aaaa',
      '-----BEGIN PRIVATE KEY-----\nx ',
      'Bearer ',
      'eyJaaaaaaaaaa.',
    ]) {
      const text = piece.repeat(10_000_000 / piece.length);
      expect(scrubSecrets(text).length).toBeGreaterThan(0);
    }
  }, 30_000);
});
