import { describe, expect, test } from 'vitest';
import type { Span } from '../../../core/src/model/span.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { replay } from './replay.ts';
import { replayTranscripts } from './replay-transcript.ts';

const SOURCES = ['sdk', 'sdk+partials', 'cli', 'sdk+cli', 'transcript'] as const;

/** What Anthropic calls it: the same whoever saw it. */
function natural(span: Span): string | undefined {
  if (span.kind === 'tool') return span.toolCallId;
  return span.kind === 'llm' ? span.requestId : undefined;
}

/** Of a call that was not let run, telemetry alone does not say which request asked for it. */
function isNameless(span: Span): boolean {
  return span.kind === 'tool' && span.denied !== undefined && span.key === `tool:${span.sessionId}/${span.toolCallId}`;
}

function spansOf(name: string, sources: (typeof SOURCES)[number]): readonly Span[] {
  const recording = openRecording(name);
  const runs = sources === 'transcript' ? replayTranscripts(recording) : replay(recording, sources);
  return runs.flatMap(({ spans }) => spans);
}

/** Without request ids, telemetry knows no call by a name that others know. */
const NAMELESS = ['no-request-ids'];

describe('a call has the same key whichever source told of it', () => {
  test.each(listRecordings().filter((name) => !NAMELESS.includes(name)))('%s', (name) => {
    const keys: Record<string, string[]> = {};
    for (const sources of SOURCES) {
      for (const span of spansOf(name, sources)) {
        const id = natural(span);
        if (id === undefined || isNameless(span)) continue;
        const known = (keys[id] ??= []);
        if (!known.includes(span.key)) known.push(span.key);
      }
    }
    expect(Object.entries(keys).filter(([, known]) => known.length > 1)).toEqual([]);
  });
});
