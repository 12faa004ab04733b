import type { SpanOutput } from '../assemble/run.ts';
import { given } from '../model/given.ts';
import type { Span } from '../model/span.ts';

/** Tells every sink what whoever began the trace has decided, where that was not us. */
export function decided(output: SpanOutput, decision: () => boolean | undefined): SpanOutput {
  const told = (span: Span): Span => {
    const traceIsSampled = decision();
    return traceIsSampled === undefined ? span : { ...span, traceIsSampled };
  };
  return {
    ...given('hearsStarts', output.hearsStarts),
    start: (span) => output.start(told(span)),
    end: (span) => output.end(told(span)),
    turnEnd: (rootSpanId) => output.turnEnd(rootSpanId),
  };
}
