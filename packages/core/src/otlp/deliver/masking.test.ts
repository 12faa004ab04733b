import { expect, test } from 'vitest';
import { quote, shownUrl } from './masking.ts';

const url = new URL(
  'https://user:pa%2Fss-word@host.example/tenant-token/v1/traces?key=a%2Bb%2Fc%3D%3D&plain=s3cret+one&v=1',
);
const basic = `Basic ${Buffer.from('pk-lf-5678:sk-lf-1234').toString('base64')}`;
const headers = { authorization: 'Bearer sk-1234567', 'proxy-authorization': basic, 'x-scope': 'a=tenant-7;b=2' };

test.each([
  ['https://host.example/v1/traces'],
  ['https://host.example/api/public/otel/v1/traces'],
  ['https://host.example/api/v0.2/traces'],
  ['http://127.0.0.1:4318/'],
])('%s is shown as it is', (address) => {
  expect(shownUrl(new URL(address))).toBe(address);
});

test.each([
  ['https://host.example/u/secretpath/v1/traces', 'https://host.example/…/…/v1/traces'],
  ['https://user:pass@host.example/v1/traces?key=k#part', 'https://host.example/v1/traces'],
  [
    'https://host.example/api/4507/integration/otlp/v1/traces/',
    'https://host.example/api/…/integration/otlp/v1/traces/',
  ],
])('%s is shown as %s', (address, shown) => {
  expect(shownUrl(new URL(address))).toBe(shown);
});

test.each([
  ['the query as it was sent', 'POST /v1/traces?key=a%2Bb%2Fc%3D%3D&plain=s3cret+one&v=1', 'POST /v1/traces?***'],
  ['a value as the server read it', 'bad key a+b/c== and s3cret one', 'bad key *** and ***'],
  ['a value written again', 'key=a%2Bb%2Fc%3D%3D plain=s3cret+one', 'key=*** plain=***'],
  ['a user and a password', 'user:pa/ss-word, pa%2Fss-word, pa/ss-word', '***, ***, ***'],
  ['a token in the path', 'no route /tenant-token/v1/traces', 'no route /***/v1/traces'],
  ['what Basic wraps', 'no key sk-lf-1234 of pk-lf-5678 (pk-lf-5678:sk-lf-1234)', 'no key *** of *** (***)'],
  ['a header and its parts', 'Bearer sk-1234567, sk-1234567, tenant-7', '***, ***, ***'],
])('%s is masked', (_, text, masked) => {
  expect(quote(text, { url, headers })).toBe(masked);
});

test('words of an answer that are no secret stay, short values of the query among them', () => {
  const text = 'HTTP 1 error in /v1/traces: user unknown';
  expect(quote(text, { url: new URL('https://host.example/v1/traces?v=1'), headers: {} })).toBe(text);
});

test('a quote is one line without anything that a terminal obeys, of at most 200 characters', () => {
  const text = `\u001B]0;title\u0007 a\r\nb\u202Ec\u0000 ${'x'.repeat(300)}`;
  expect(quote(text, { url, headers })).toBe(`]0;title a b c ${'x'.repeat(185)}`);
});

test('of two secrets the longer one is masked as a whole', () => {
  const twins = { a: 'secret', b: 'secret-and-more' };
  expect(quote('got secret-and-more', { url, headers: twins })).toBe('got ***');
});

test('a URL with broken percent signs does not break the quote', () => {
  expect(quote('the key 100%real', { url: new URL('https://host.example/?k=100%real'), headers: {} })).toBe(
    'the key ***',
  );
});
