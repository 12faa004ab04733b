import { type Attributes, applyCapture, type CaptureOptions, resolveCapture, type Sink, type Span } from '@spanprism/core';
import { sqliteSink } from '@spanprism/store';
import { openRecording } from '@spanprism/testkit';
import { replay } from '../../../../testkit/src/replay/replay.ts';
import type { SourceSet } from '../../../../testkit/src/replay/script.ts';

export interface Recorded {
  readonly recording: string;
  readonly sources?: SourceSet;
  /** The user's own, on every span. */
  readonly attributes?: Attributes;
  readonly capture?: CaptureOptions;
}

/** Plays recordings into a store. */
export async function fillStore(path: string, recorded: readonly Recorded[]): Promise<void> {
  const sink = sqliteSink({ path });
  for (const { recording, sources = 'sdk+cli', attributes = {}, capture = 'full' } of recorded) {
    for (const { spans } of replay(openRecording(recording), sources)) {
      writeTo(
        sink,
        spans.map((span) => ({ ...span, attributes })),
        capture,
      );
    }
  }
  await sink.close(60_000);
}

export async function writeSpans(
  path: string,
  { spans, capture = 'full' }: { readonly spans: readonly Span[]; readonly capture?: CaptureOptions },
): Promise<void> {
  const sink = sqliteSink({ path });
  writeTo(sink, spans, capture);
  await sink.close(60_000);
}

function writeTo(sink: Sink, spans: readonly Span[], capture: CaptureOptions): void {
  const policy = resolveCapture(capture, { environment: {} });
  for (const span of spans) sink.spanEnd(applyCapture(span, policy));
}
