import http from 'node:http';
import https from 'node:https';
import { startCollector } from '@spanprism/testkit';
import type { CollectedRequest, Collector } from '@spanprism/testkit';
import { vi } from 'vitest';

/** A request to any address of the world, as a collector here received it. */
export interface WorldRequest extends CollectedRequest {
  /** The address that was meant. */
  readonly url: string;
}

export interface FakeInternet extends AsyncDisposable {
  readonly collector: Collector;
  readonly requests: () => readonly WorldRequest[];
}

/** Leads every HTTPS request of this process to a collector on this machine; only the network is not what it was. */
export async function fakeInternet(): Promise<FakeInternet> {
  const collector = await startCollector();
  const urls: string[] = [];
  const spy = vi.spyOn(https, 'request').mockImplementation(((url: URL, options: http.RequestOptions) => {
    urls.push(url.href);
    const here = new URL(url.pathname.replace(/\/$/, ''), collector.url);
    const { agent: _, ...rest } = options;
    return http.request(here, rest);
  }) as typeof https.request);
  return {
    collector,
    requests: () => collector.requests.map((request, index) => ({ ...request, url: urls[index] ?? '' })),
    [Symbol.asyncDispose]: async () => {
      spy.mockRestore();
      await collector.close();
    },
  };
}
