/**
 * A program that traces itself with OpenTelemetry: its own active spans, and what its SDK exported. The majors differ in the
 * package that the provider comes from, in its name, and in how a processor is given its exporter.
 */
exports.otelHost = function otelHost({ context, ContextManager, exporter, tracerProvider, otelSink }) {
  context.setGlobalContextManager(new ContextManager().enable());
  const tracer = tracerProvider.getTracer('shop');
  // OpenTelemetry 1.x says the parent's id alone.
  const parentOf = (span) => span.parentSpanContext?.spanId ?? span.parentSpanId;
  const rowOf = (span) => ({ name: span.name, ...span.spanContext(), parentSpanId: parentOf(span) });
  return {
    sinks: [otelSink({ tracerProvider })],
    step: (name, run) =>
      tracer.startActiveSpan(name, async (span) => {
        try {
          return await run();
        } finally {
          span.end();
        }
      }),
    spans: () => exporter.getFinishedSpans().map(rowOf),
  };
};
