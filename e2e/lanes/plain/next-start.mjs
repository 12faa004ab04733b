// The next start of a program: what the last one left in `SPOOL` is sent.
import { otlpSink } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

const tracing = createTracing({ sinks: [otlpSink({ spool: { directory: process.env.SPOOL } })] });
await tracing.close();
