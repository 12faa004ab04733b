import { type Attributes, applyCapture, type CaptureOptions, resolveCapture, type Span } from '@spanprism/core';
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

/** Plays recordings into a store, each as its own program would have. */
export async function fillStore(path: string, recorded: readonly Recorded[]): Promise<void> {
  for (const { recording, sources = 'sdk+cli', attributes = {}, capture = 'full' } of recorded) {
    const spans = replay(openRecording(recording), sources).flatMap(({ spans: played }) => played);
    await writeSpans(path, { spans: spans.map((span) => ({ ...span, attributes })), capture });
  }
}

export async function writeSpans(
  path: string,
  { spans, capture = 'full' }: { readonly spans: readonly Span[]; readonly capture?: CaptureOptions },
): Promise<void> {
  const sink = sqliteSink({ path });
  const policy = resolveCapture(capture, { environment: {} });
  for (const span of spans) sink.spanEnd(applyCapture(span, policy));
  await sink.close(10_000);
}
