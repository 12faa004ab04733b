import type { Sink } from '@spanprism/core';
import { otlpSink } from '../otlp-sink.ts';
import type { OtlpSinkOptions } from '../otlp-sink.ts';
import { basic, presetSink, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface GrafanaCloudOptions extends PresetOptions {
  /** The OTLP gateway's, e.g. `prod-eu-west-2`; `GRAFANA_CLOUD_ZONE` unless given. */
  readonly zone?: string;
  /** The gateway's URL in place of the zone; `GRAFANA_CLOUD_OTLP_ENDPOINT` unless given. */
  readonly gateway?: string;
  /** `GRAFANA_CLOUD_INSTANCE_ID` unless given. */
  readonly instanceId?: string;
  /** A token with the scope `traces:write`; `GRAFANA_CLOUD_API_KEY` or `GRAFANA_CLOUD_TOKEN` unless given. */
  readonly token?: string;
}

/** Tempo cuts longer texts by default, in the middle of their JSON. */
const LIMITS = { maxTextBytes: 2048 } as const;

const PAGE = 'It stands on the page of the stack in the Grafana Cloud portal, under OpenTelemetry › Configure.';

const GRAFANA_CLOUD: Vendor<'gateway' | 'zone' | 'instanceId' | 'token'> = {
  name: 'grafana-cloud',
  settings: {
    gateway: { for: 'url', env: ['GRAFANA_CLOUD_OTLP_ENDPOINT'], isUrl: true },
    zone: {
      for: 'url',
      env: ['GRAFANA_CLOUD_ZONE'],
      need: PAGE,
      unless: 'gateway',
      mistakes: [[/[/.]/, 'an address, not a zone such as prod-eu-west-2']],
    },
    instanceId: {
      for: 'headers',
      env: ['GRAFANA_CLOUD_INSTANCE_ID'],
      need: PAGE,
      mistakes: [[/\D/, 'no instance id, which is a number']],
    },
    token: {
      for: 'headers',
      env: ['GRAFANA_CLOUD_API_KEY', 'GRAFANA_CLOUD_TOKEN'],
      need: 'Create an access policy token with the scope traces:write in the Grafana Cloud portal.',
      mistakes: [[/^glsa_/, 'the token of a service account, which the gateway does not know']],
    },
  },
  url: ({ gateway, zone }) => tracesBelow(gateway ?? `https://otlp-gateway-${zone}.grafana.net/otlp`),
  headers: ({ instanceId, token }) => ({ authorization: token === undefined ? undefined : basic(instanceId, token) }),
  sink: () => ({ limits: LIMITS }),
  refused:
    'Check GRAFANA_CLOUD_INSTANCE_ID, the scope traces:write of GRAFANA_CLOUD_API_KEY, and the zone: all three belong to one stack.',
};

/** Grafana Cloud by its OTLP gateway. Limit: 2,048 bytes a text, Tempo's default. */
export function grafanaCloud(options: GrafanaCloudOptions = {}): Sink {
  return presetSink(GRAFANA_CLOUD, options);
}

/** A Tempo of your own, by OpenTelemetry's variables. Limit: 2,048 bytes a text, Tempo's default. */
export function tempo(options: OtlpSinkOptions = {}): Sink {
  return otlpSink({ name: 'tempo', metrics: false, ...options, limits: { ...LIMITS, ...options.limits } });
}
