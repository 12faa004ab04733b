import type { Sink } from '../../model/sink.ts';

/** For a user who has switched sending off, as with `OTEL_SDK_DISABLED`: takes everything, sends nothing, and counts it. */
export function disabledSink(name: string): Sink {
  let dropped = 0;
  return {
    name,
    isDisabled: true,
    spanEnd: () => {
      dropped += 1;
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    stats: () => ({ delivered: 0, queued: 0, dropped: dropped === 0 ? {} : { sdk_disabled: dropped } }),
  };
}
