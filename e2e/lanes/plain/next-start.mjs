// The next start of a program: what the last one left in `SPOOL` is sent.
import { createTracing } from '@spanprism/core';
import { sinkNamed } from './sinks.mjs';

const tracing = createTracing({ sinks: [await sinkNamed(process.env.SINK, process.env.SPOOL)] });
await tracing.close();
