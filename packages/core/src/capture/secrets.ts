/** A kind of secret: `hint` is a cheap sign that a text may hold one, `pattern` finds it. */
interface SecretKind {
  readonly name: string;
  readonly pattern: RegExp;
}

/**
 * Every pattern begins with a literal and repeats one class of characters, so that each scan is linear. Sources: the vendors' own
 * descriptions of their key formats. What has no recognisable form is found by the name in front of it (`assignment`).
 */
const KINDS: readonly SecretKind[] = [
  {
    name: 'private key',
    pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
  },
  { name: 'anthropic key', pattern: /\bsk-ant-[A-Za-z0-9_-]{8,400}/g },
  { name: 'langfuse key', pattern: /\b[sp]k-lf-[0-9a-f-]{30,60}/g },
  { name: 'openai key', pattern: /\bsk-(?:proj-|svcacct-|admin-)?(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{20,400}/g },
  { name: 'openrouter key', pattern: /\bsk-or-[A-Za-z0-9_-]{20,200}/g },
  { name: 'github token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{30,255})/g },
  { name: 'gitlab token', pattern: /\bgl(?:pat|dt|rt|soat|cbt|ptt)-[A-Za-z0-9_-]{20,100}/g },
  { name: 'slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}/g },
  { name: 'slack webhook', pattern: /\bhooks\.slack\.com\/services\/[A-Za-z0-9/]{20,100}/g },
  { name: 'aws key id', pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g },
  { name: 'google key', pattern: /\bAIza[0-9A-Za-z_-]{35}/g },
  { name: 'google token', pattern: /\bya29\.[0-9A-Za-z_-]{20,400}/g },
  { name: 'stripe key', pattern: /\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,250}/g },
  { name: 'npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: 'pypi token', pattern: /\bpypi-[A-Za-z0-9_-]{50,400}/g },
  { name: 'hugging face token', pattern: /\bhf_[A-Za-z0-9]{30,60}\b/g },
  { name: 'logfire token', pattern: /\bpylf_v[0-9]+_[a-z]+_[A-Za-z0-9_]{20,100}/g },
  { name: 'honeycomb key', pattern: /\bhc[abx][a-z]{2}_[A-Za-z0-9]{50,80}\b/g },
  { name: 'sendgrid key', pattern: /\bSG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{40,50}/g },
  { name: 'jwt', pattern: /\beyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{4,8000}\.[A-Za-z0-9_-]{4,2000}/g },
  {
    name: 'credentials',
    pattern: /\b(?:[Bb]earer|[Bb]asic)\s+(?=[A-Za-z0-9._~+/=-]{0,400}[0-9])[A-Za-z0-9._~+/=-]{16,4000}/g,
  },
];

/** `scheme://user:password@host`: the password goes, the rest tells where it was. */
const URL_PASSWORD = /(:\/\/[^\s/:@]{0,200}):([^\s/@]{1,400})@/g;

/** `API_KEY=…`, `"password": "…"`: a telling name, then a value that is long enough to be one. */
const ASSIGNMENT =
  /((?:api[_-]?key|secret[_-]?(?:access[_-]?)?key|client[_-]?secret|access[_-]?token|auth[_-]?token|refresh[_-]?token|private[_-]?key|passw(?:or)?d|passphrase|secret)\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?)(?!\[redacted)([^\s"'\\,;&<>{}()[\]$]{8,400})/gi;

/** One quick look tells that almost no text holds any of it. */
const HINT =
  /sk-|pk-lf|gh[pousr]_|github_pat|gl(?:pat|dt|rt|soat|cbt|ptt)-|xox|hooks\.slack|AKIA|ASIA|AIza|ya29|[sr]k_|npm_|pypi-|hf_|pylf_|hc[abx]|SG\.|eyJ|[Bb]earer|[Bb]asic|PRIVATE KEY|:\/\/|key|secret|token|passw|passphrase/i;

/** Replaces keys, tokens, JWTs, private keys and passwords by what they were. On in every mode. */
export function scrubSecrets(text: string): string {
  if (text.length < 8 || !HINT.test(text)) return text;
  let scrubbed = text;
  for (const { name, pattern } of KINDS) scrubbed = scrubbed.replace(pattern, `[redacted: ${name}]`);
  return scrubbed.replace(URL_PASSWORD, '$1:[redacted: password]@').replace(ASSIGNMENT, '$1[redacted: value]');
}
