/** A kind of secret: a text without any of `hints` holds none of it, `pattern` finds it. */
interface SecretKind {
  readonly name: string;
  readonly hints: readonly string[];
  /** A character that all hints have and prose seldom: where it is not, no hint need be looked for. */
  readonly mark: Mark | undefined;
  readonly pattern: RegExp;
}

const MARKS = ['_', '-', '/', '@', '.'] as const;
type Mark = (typeof MARKS)[number];

// Every pattern begins with a literal that is tried only where a word begins, and repeats one class of characters at a time, so that
// each scan is linear. `-` and `_` belong to the word: else each piece of a hyphenated text would be a beginning of its own.
const START = '(?<![A-Za-z0-9_-])';
// Base64 of an image or a digest can hold anything that has no sign of its own.
const START_OUTSIDE_BASE64 = '(?<![A-Za-z0-9_+/-])';
const END = '(?![A-Za-z0-9_-])';

function kind(name: string, hints: readonly string[], pattern: string): SecretKind {
  const mark = MARKS.find((character) => hints.every((hint) => hint.includes(character)));
  return { name, hints, mark, pattern: new RegExp(pattern, 'g') };
}

/** Key formats as the vendors describe them. */
const KINDS: readonly SecretKind[] = [
  kind(
    'private key',
    ['PRIVATE KEY'],
    // Closed; or cut off, then only lines of base64 are taken for the key: programs name this line too.
    String.raw`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?:[^-]|-(?!----)){1,20000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:(?:\\[nr]|\s){1,4}[A-Za-z0-9+/=]{16,100})+)`,
  ),
  kind('anthropic key', ['sk-ant-'], `${START}sk-ant-[A-Za-z0-9_-]{8,400}`),
  kind('langfuse key', ['k-lf-'], `${START}[sp]k-lf-[0-9a-f-]{30,60}${END}`),
  kind('openrouter key', ['sk-or-'], `${START}sk-or-v[0-9]-[A-Za-z0-9]{32,200}`),
  kind('openai key', ['sk-'], `${START}sk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,400}|[A-Za-z0-9]{32,200}${END})`),
  kind(
    'github token',
    ['gh', 'github_pat_'],
    `${START}(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{30,255})`,
  ),
  kind('gitlab token', ['gl'], `${START}gl(?:pat|dt|rt|soat|cbt|ptt|ft|imt|agent|oas)-[A-Za-z0-9_.-]{20,200}`),
  kind('slack token', ['xox', 'xapp-'], `${START}(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,250}`),
  kind(
    'slack webhook',
    ['hooks.slack.com/'],
    String.raw`hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,100}`,
  ),
  kind('aws key id', ['AKIA', 'ASIA'], `${START_OUTSIDE_BASE64}A[KS]IA[0-9A-Z]{16}(?![A-Za-z0-9+/])`),
  kind('google key', ['AIza'], `${START_OUTSIDE_BASE64}AIza[0-9A-Za-z_-]{35}${END}`),
  kind(
    'google token',
    ['ya29.', 'GOCSPX-'],
    String.raw`${START}(?:ya29\.[0-9A-Za-z_-]{20,400}|GOCSPX-[0-9A-Za-z_-]{20,60})`,
  ),
  kind(
    'stripe key',
    ['k_live_', 'k_test_', 'whsec_'],
    `${START}(?:[sr]k_(?:live|test)_[0-9A-Za-z]{16,250}|whsec_[0-9A-Za-z+/=]{24,100})`,
  ),
  kind('npm token', ['npm_'], `${START}npm_[A-Za-z0-9]{36}${END}`),
  kind('pypi token', ['pypi-'], `${START}pypi-[A-Za-z0-9_-]{50,400}`),
  kind('hugging face token', ['hf_'], `${START}hf_[A-Za-z0-9]{30,60}${END}`),
  kind('logfire token', ['pylf_'], `${START}pylf_v[0-9]{1,2}_[a-z]{2,10}_[A-Za-z0-9_]{20,100}`),
  kind('langsmith key', ['lsv2_'], `${START}lsv2_[a-z]{2}_[0-9a-f]{20,64}_[0-9a-f]{6,20}`),
  kind('sentry token', ['sntry'], `${START}sntry[a-z]_[A-Za-z0-9+/=_-]{20,400}`),
  kind('sentry key', ['@'], String.raw`(?<=https?://)[0-9a-f]{32}(?::[0-9a-f]{32})?(?=@[A-Za-z0-9.:-]{1,200}/[0-9])`),
  kind('grafana token', ['glc_', 'glsa_'], `${START}(?:glc_[A-Za-z0-9+/=]{32,400}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8})`),
  kind('new relic key', ['NRAK-', 'NRAL'], `${START}(?:NRAK-[A-Z0-9]{27}|[0-9a-f]{36}NRAL)${END}`),
  kind('honeycomb key', ['hc'], `${START}hc[abx][a-z]{2}_[A-Za-z0-9]{50,80}${END}`),
  kind('digitalocean token', ['_v1_'], `${START}do[opr]_v1_[0-9a-f]{64}`),
  kind('sendgrid key', ['SG.'], String.raw`${START_OUTSIDE_BASE64}SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{40,50}`),
  kind(
    'jwt',
    ['eyJ'],
    String.raw`(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{4,8000}\.[A-Za-z0-9_-]{0,2000}`,
  ),
];

/** `Authorization: Basic …`, and the scheme alone where what follows has digits and so is no prose. */
const CREDENTIALS =
  /(\bauthorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?:bearer|basic|token|apikey)\s{1,3}|\b(?:bearer|basic)\s{1,3}(?=[A-Za-z._~+/=-]{0,100}[0-9])(?=[A-Za-z0-9._~+/=-]{20}))[A-Za-z0-9._~+/=-]{8,4000}/gi;

/** `scheme://user:password@host`: the password goes, the rest tells where it was. */
const URL_PASSWORD = /(?<=:\/\/[^\s/:@"'<>]{0,200}:)(?!\[redacted)[^\s/@"'<>]{1,400}(?=@)/g;

/** `API_KEY=…`, `"password": "…"`: a telling name, then a value, in quotes or bare. */
const ASSIGNMENT =
  /((?:api[_-]?key|secret[_-]?(?:access[_-]?)?key|client[_-]?secret|(?:access|auth|refresh|session)[_-]?token|private[_-]?key|passw(?:or)?d|passphrase|_(?:token|secret))(\\?["'])?\s{0,3}(?:=>|[:=])\s{0,3})(?:(\\?["'`])([^"'`\\\n]{4,400})(?=\\?["'`])|([^\s"'`\\,;&<>{}()[\]]{8,400}))/gi;

// What stands where a secret would, and is none: a placeholder, a variable, a member of an object, a mask.
const NO_VALUE =
  /^(?:[$%<{*.x]|\[redacted|your|my[_-]|example|changeme|none|null|undefined|true|false|process\.|os\.|env[.:])|^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$/i;
const HAS_DIGIT = /[0-9]/;

function scrubAssignment(...[whole, name, , quote, quoted, bare]: readonly (string | undefined)[]): string {
  const value = quoted ?? bare ?? '';
  // A bare word without a digit is the name of something in a program, or prose.
  const isSecret = !NO_VALUE.test(value) && (quoted !== undefined || HAS_DIGIT.test(value));
  return isSecret ? `${name}${quote ?? ''}[redacted: value]` : (whole ?? '');
}

const ASSIGNMENT_HINTS = /api[_-]?key|secret|token|private[_-]?key|passw|passphrase/i;
const CREDENTIAL_HINTS = /bearer|basic|authorization/i;

/** The beginnings of all of the above: in a short text one look for any is cheaper than a look for each. */
const ANY_HINT =
  /sk-|k-lf-|gh[pousr]_|github_|gl[a-z]{1,5}[-_]|xox|xapp-|hooks\.|A[KS]IA|AIza|ya29|GOCSPX|k_live|k_test|whsec|npm_|pypi-|hf_|pylf_|lsv2_|sntry|NRA|hc[abx]|_v1_|SG\.|eyJ|@|private|bearer|basic|authorization|api[_-]?key|secret|token|passw|passphrase/i;
const SHORT_LENGTH = 256;

/** Replaces keys, tokens, JWTs, private keys and passwords by what they were. On in every mode. Idempotent, linear in the text. */
export function scrubSecrets(text: string): string {
  if (text.length < 8 || (text.length <= SHORT_LENGTH && !ANY_HINT.test(text))) return text;
  let scrubbed = text;
  const absent = MARKS.filter((mark) => !text.includes(mark));
  for (const { name, hints, mark, pattern } of KINDS) {
    if (mark !== undefined && absent.includes(mark)) continue;
    if (hints.some((hint) => text.includes(hint))) scrubbed = scrubbed.replace(pattern, `[redacted: ${name}]`);
  }
  if (text.includes('://') && text.includes('@')) scrubbed = scrubbed.replace(URL_PASSWORD, '[redacted: password]');
  if (CREDENTIAL_HINTS.test(text)) scrubbed = scrubbed.replace(CREDENTIALS, '$1[redacted: credentials]');
  return ASSIGNMENT_HINTS.test(text) ? scrubbed.replace(ASSIGNMENT, scrubAssignment) : scrubbed;
}
