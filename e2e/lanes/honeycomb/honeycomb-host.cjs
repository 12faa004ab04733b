/** A program on Honeycomb's distribution as its documents set it up: key, endpoint and service are in the environment. */
exports.honeycombHost = function honeycombHost({ HoneycombSDK, trace, otelSink }) {
  const honeycomb = new HoneycombSDK({ instrumentations: [] });
  honeycomb.start();
  const tracer = trace.getTracer('shop');
  return {
    sinks: [otelSink()],
    step: (name, run) =>
      tracer.startActiveSpan(name, async (span) => {
        try {
          return await run();
        } finally {
          span.end();
        }
      }),
    // They go to Honeycomb, which is where they are looked for.
    spans: () => [],
    shutdown: () => honeycomb.shutdown(),
  };
};
