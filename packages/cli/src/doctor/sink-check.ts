import type { Sink } from '@spanprism/core';
import { type Environment, shownUrl } from '@spanprism/core/otlp';
import { CANARY_MS, type CanaryEnd, sendCanary } from './canary.ts';
import { type Finding, ok, type Row, rowsOf } from './finding.ts';
import type { HttpWatch } from './http-watch.ts';
import { behindProxy } from './proxy.ts';
import { otherRegions, REGIONS, type Regions } from './regions.ts';
import { diagnose } from './verdict.ts';

export interface SinkCheck {
  readonly sink: Sink;
  /** What asked for it: `env OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly where: string;
  readonly env: Environment;
  readonly watch: HttpWatch;
  readonly regions?: readonly Regions[];
  readonly limitMs?: number;
}

/** Sends a canary through a sink, and says what came of it. */
export async function sinkRows(check: SinkCheck): Promise<readonly Row[]> {
  const { sink, where, env, watch, limitMs = CANARY_MS } = check;
  const title = `sink ${sink.name}`;
  const end = await sendCanary(sink, watch, limitMs);
  if (end.isDelivered) return [ok(title, `${placeOf(end)} took the canary (${where})`)];
  const found = diagnose(end, where);
  const url = end.exchange?.url;
  if (url === undefined) return rowsOf(title, [found], '');
  const finding = found.code === 'key_refused' ? await ofRegion(check, found, url) : await behindProxy(found, url, env);
  return rowsOf(title, [finding], '');
}

function placeOf({ exchange }: CanaryEnd): string {
  return exchange === undefined ? 'the sink' : shownUrl(exchange.url);
}

/** A key that is refused here may be good in another region of the same vendor: then that is the fault. */
async function ofRegion(check: SinkCheck, found: Finding, sentTo: URL): Promise<Finding> {
  const { sink, env, watch, regions = REGIONS, limitMs = CANARY_MS } = check;
  const others = otherRegions(sink.name, sentTo, { env, table: regions });
  const tried = others.map(async (other) => {
    return { other, isTaken: (await sendCanary(await other.sink(), watch, limitMs)).isDelivered };
  });
  const taken = (await Promise.all(tried)).find(({ isTaken }) => isTaken)?.other;
  if (taken === undefined) return found;
  return {
    code: 'wrong_region',
    what: `the key is of the region ${taken.region}, and ${shownUrl(sentTo)} is another`,
    where: found.where,
    fix: `Set ${taken.variable}=${taken.base}.`,
  };
}
