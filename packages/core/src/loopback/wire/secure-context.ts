import { existsSync, readFileSync } from 'node:fs';
import tls, { type SecureContext, type SecureContextOptions } from 'node:tls';

/** What the user's environment says of TLS: the contents of the files that it names. */
export interface TlsFiles {
  /** PEM, beside what the CLI trusts anyway: the bundled authorities and the system's. */
  readonly extraCa?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly allowsAnyCertificate?: boolean;
}

/** Where systems keep their authorities, for Node before 22.15, which cannot say. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const contexts: Map<string, SecureContext> = new Map();

/** Reading hundreds of certificates takes long, so each context is made once. */
export function secureContextOf(files: TlsFiles | undefined): SecureContext {
  const name = JSON.stringify(files ?? {});
  const known = contexts.get(name);
  if (known !== undefined) return known;
  const { extraCa, cert, key, passphrase } = files ?? {};
  const options: SecureContextOptions = {
    ca: [...authorities(), ...(extraCa === undefined ? [] : [extraCa])],
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  const context = made(options) ?? tls.createSecureContext({});
  contexts.set(name, context);
  return context;
}

/** With a certificate that is none the child would not get far either; what becomes of that, its first request tells. */
function made(options: SecureContextOptions): SecureContext | undefined {
  try {
    return tls.createSecureContext(options);
  } catch {
    return undefined;
  }
}

function authorities(): string[] {
  const { getCACertificates } = tls as Partial<typeof tls>;
  if (getCACertificates !== undefined) {
    return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  }
  const file = SYSTEM_FILES.find((path) => existsSync(path));
  return [...tls.rootCertificates, ...(file === undefined ? [] : [readFileSync(file, 'utf8')])];
}
