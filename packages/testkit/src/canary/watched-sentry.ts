import * as Sentry from '@sentry/node';
import { sentrySink } from '../../../claude-sentry/src/index.ts';
import type { Diag, Sink } from '../../../core/src/model/sink.ts';

type Transport = NonNullable<Parameters<typeof Sentry.init>[0]>['transport'];

/** Where envelopes go now: a process has one Sentry. */
let envelopes: string[] = [];
let isStarted = false;

/** The network, as far as it concerns Sentry's SDK: everything is taken. */
const transport: Transport = () => ({
  send: (envelope) => {
    envelopes.push(JSON.stringify(envelope));
    return Promise.resolve({ statusCode: 200 });
  },
  flush: () => Promise.resolve(true),
});

export interface WatchedSentry {
  readonly sink: Sink;
  /** Everything that was sent since. */
  readonly left: () => Buffer;
}

/** A sink on the real SDK, with its own defaults but those that trace this process's servers, which are fakes of other backends. */
export function watchedSentry(diag: Diag): WatchedSentry {
  if (!isStarted) {
    const isOfProcess = ({ name }: { readonly name: string }): boolean => /Http|Fetch|Undici/.test(name);
    Sentry.init({
      dsn: 'https://5e1f@sentry.example/42',
      tracesSampleRate: 1,
      integrations: (defaults) => defaults.filter((integration) => !isOfProcess(integration)),
      ...(transport === undefined ? {} : { transport }),
    });
  }
  isStarted = true;
  const own: string[] = [];
  envelopes = own;
  return { sink: sentrySink({ diag }), left: () => Buffer.from(own.join('\n')) };
}
