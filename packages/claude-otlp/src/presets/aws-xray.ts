import type { Sink } from '@spanprism/core';
import type { SignRequest } from '@spanprism/core/otlp';
import { signV4 } from './sigv4.ts';
import type { AwsCredentials } from './sigv4.ts';
import { presetSink } from './vendor.ts';
import type { PresetOptions, Values, Vendor } from './vendor.ts';

export interface AwsXrayOptions extends PresetOptions {
  /** `AWS_REGION` or `AWS_DEFAULT_REGION` unless given. */
  readonly region?: string;
  /** `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` unless given. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** Asked for each request in place of these, as keys of roles expire; any provider of `@aws-sdk/credential-providers` will do. */
  readonly credentials?: () => AwsCredentials | Promise<AwsCredentials>;
}

type Key = 'region' | 'accessKeyId' | 'secretAccessKey' | 'sessionToken';

const KEYS =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a provider such as fromNodeProviderChain() as credentials.';

function vendor(credentials: AwsXrayOptions['credentials']): Vendor<Key> {
  const need = credentials === undefined ? { need: KEYS } : {};
  return {
    name: 'aws-xray',
    settings: {
      region: {
        for: 'url',
        env: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
        need: 'Give the region whose CloudWatch has Transaction Search on, e.g. eu-central-1.',
        mistakes: [[/[^a-z0-9-]/, 'no region, which looks like eu-central-1']],
      },
      accessKeyId: { for: 'headers', env: ['AWS_ACCESS_KEY_ID'], ...need },
      secretAccessKey: { for: 'headers', env: ['AWS_SECRET_ACCESS_KEY'], ...need },
      sessionToken: { for: 'headers', env: ['AWS_SESSION_TOKEN'] },
    },
    url: ({ region = '' }) =>
      `https://xray.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}/v1/traces`,
    sink: (values) => ({
      sign: signer(values, credentials ?? (() => keysOf(values))),
      limits: { maxSpanBytes: 200_000 },
    }),
    refused:
      'Check the keys and their policy (AWSXrayWriteOnlyPolicy), the region, the clock of this machine, and that CloudWatch Transaction Search is on.',
  };
}

function keysOf({ accessKeyId = '', secretAccessKey = '', sessionToken }: Values<Key>): AwsCredentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** A static header would not do: the signature is that of the body, and holds for minutes. */
function signer({ region }: Values<Key>, credentials: () => AwsCredentials | Promise<AwsCredentials>): SignRequest {
  return async ({ url, headers, body }) => {
    const signed = { 'content-type': headers['content-type'] ?? '' };
    const scope = { region: region ?? '', service: 'xray', at: new Date() };
    return signV4({ method: 'POST', url, headers: signed, body }, await credentials(), scope);
  };
}

/** AWS X-Ray's OTLP endpoint, each request signed with Signature Version 4. Limit: 200 kB a span. */
export function awsXray(options: AwsXrayOptions = {}): Sink {
  return presetSink(vendor(options.credentials), options);
}
