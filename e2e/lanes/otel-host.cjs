/**
 * A program that traces itself with OpenTelemetry: its own active spans, and what its SDK exported. The majors differ in the
 * package that the tracer provider comes from and in its name.
 */
exports.otelHost = function otelHost({ context, ContextManager, Provider, InMemorySpanExporter, SimpleSpanProcessor, otelSink }) {
  context.setGlobalContextManager(new ContextManager().enable());
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new Provider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = tracerProvider.getTracer('shop');
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
    spans: () =>
      exporter.getFinishedSpans().map((span) => ({ name: span.name, ...span.spanContext(), parentSpanId: span.parentSpanContext?.spanId })),
  };
};
