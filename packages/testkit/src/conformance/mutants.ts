import type { CapturedSpan, Sink } from '@spanprism/core';
import { type MakeSink, type ReferenceSinkOptions, referenceSink, type WireRow, wireRow } from './reference-sink.ts';

/** A sink with one fault, and the name of the one check that finds it. */
export interface Mutant {
  readonly fault: string;
  readonly foundBy: string;
  readonly make: MakeSink;
}

type Change = (row: WireRow, span: CapturedSpan) => WireRow | undefined;
type Override = (sink: Sink, options: ReferenceSinkOptions) => Partial<Sink>;

/** With another spelling of rows; `change` is made anew for every sink, so that it may remember. */
const spelling =
  (change: () => Change): MakeSink =>
  (options) => {
    const changed = change();
    return referenceSink({ ...options, rowOf: (span) => changed(wireRow(span), span) });
  };

const behaving =
  (override: Override): MakeSink =>
  (options) => {
    const sink = referenceSink(options);
    return { ...sink, ...override(sink, options) };
  };

const without = (row: WireRow, field: keyof WireRow): WireRow => {
  const { [field]: _, ...rest } = row;
  return rest as WireRow;
};

const shifted = (time: string, by: bigint): string => String(BigInt(time) + by);
const MS = 1_000_000n;
const FAR = 60_000_000_000n;

/** One way each in which published integrations went wrong. */
export const MUTANTS: readonly Mutant[] = [
  {
    fault: 'makes a row of its own of what a tool answers',
    foundBy: 'one row per span',
    make: behaving((sink) => ({
      spanEnd: (span) => {
        sink.spanEnd(span);
        if (span.kind !== 'tool' || span.requestedByLlmSpanId === undefined) return;
        sink.spanEnd({ ...span, toolCallId: `${span.toolCallId}/result` });
      },
    })),
  },
  {
    fault: 'hangs calls nowhere',
    foundBy: 'calls and tools hang below their agent',
    make: spelling(() => (row) => (row.kind === 'llm' ? without(row, 'parentId') : row)),
  },
  {
    fault: 'flattens subagents',
    foundBy: 'a subagent hangs below the call that asked for it',
    make: spelling(() => (row) => (row.label === 'Explore' ? { ...row, parentId: 'root' } : row)),
  },
  {
    fault: 'hangs a tool below the one that began before it',
    foundBy: 'parallel tools are siblings',
    make: spelling(() => {
      let previous: WireRow | undefined;
      return (row) => {
        const inside = previous;
        if (row.kind === 'tool') previous = row;
        const isInside =
          inside !== undefined &&
          row.kind === 'tool' &&
          inside.startedAt < row.startedAt &&
          row.startedAt < inside.endedAt;
        return isInside ? { ...row, parentId: inside.id } : row;
      };
    }),
  },
  {
    fault: 'makes a segment a trace of its own',
    foundBy: 'a subagent that outlives its turn arrives in the same trace',
    make: spelling(
      () => (row, span) => (span.kind === 'agent' && span.isSegment === true ? { ...row, traceId: row.id } : row),
    ),
  },
  {
    fault: 'takes the trace of the first session for all',
    foundBy: 'two interleaved sessions stay apart',
    make: spelling(() => {
      let first: string | undefined;
      return (row) => ({ ...row, traceId: (first ??= row.traceId) });
    }),
  },
  {
    fault: 'takes times from a clock of its own',
    foundBy: 'start and end are the observed ones',
    make: spelling(() => (row) => ({
      ...row,
      startedAt: shifted(row.startedAt, FAR),
      endedAt: shifted(row.endedAt, FAR),
      ...(row.firstTokenAt === undefined ? {} : { firstTokenAt: shifted(row.firstTokenAt, FAR) }),
    })),
  },
  {
    fault: 'rounds times to milliseconds',
    foundBy: 'lengths of nothing and of less than a millisecond are exact',
    make: spelling(() => (row) => ({ ...row, endedAt: String((BigInt(row.endedAt) / MS) * MS) })),
  },
  {
    fault: 'moves the start of a child into its parent',
    foundBy: 'a child that began before its parent keeps its start',
    make: spelling(
      () => (row) =>
        row.issues?.includes('approximate_time') === true
          ? { ...row, startedAt: shifted(row.startedAt, 40n * MS) }
          : row,
    ),
  },
  {
    fault: 'keeps guesses to itself',
    foundBy: 'a guessed time is said to be guessed',
    make: spelling(() => (row) => (row.issues?.includes('approximate_time') === true ? without(row, 'issues') : row)),
  },
  {
    fault: 'takes the start for the first token',
    foundBy: 'the first token has its time',
    make: spelling(() => (row) => (row.firstTokenAt === undefined ? row : { ...row, firstTokenAt: row.startedAt })),
  },
  {
    fault: 'counts the usage of the turn beside that of its calls',
    foundBy: 'tokens are counted once per trace',
    make: spelling(() => (row, span) => {
      const tokens = span.kind === 'agent' ? span.totals?.usage.outputTokens : undefined;
      return tokens === undefined ? row : { ...row, countedOutput: tokens };
    }),
  },
  {
    fault: 'takes cached tokens out of the input',
    foundBy: 'cached tokens are part of the input',
    make: spelling(
      () => (row) =>
        row.cachedInput === undefined ? row : { ...row, countedInput: (row.countedInput ?? 0) - row.cachedInput },
    ),
  },
  {
    fault: 'writes 0 for what it does not know',
    foundBy: 'a figure that is not known is not 0',
    make: spelling(() => (row) => (row.kind === 'llm' ? { ...row, cachedInput: row.cachedInput ?? 0 } : row)),
  },
  {
    fault: 'counts the money of the turn beside that of its calls',
    foundBy: 'money is counted once per trace',
    make: spelling(() => (row, span) => {
      const costUsd = span.kind === 'agent' ? span.totals?.costUsd : undefined;
      return costUsd === undefined ? row : { ...row, costUsd };
    }),
  },
  {
    fault: 'keeps figures as 32-bit floats',
    foundBy: 'large figures are exact',
    make: spelling(
      () => (row) => (row.countedInput === undefined ? row : { ...row, countedInput: Math.fround(row.countedInput) }),
    ),
  },
  {
    fault: 'takes failed tools for good ones',
    foundBy: 'a failed tool is an error',
    make: spelling(() => (row) => (row.kind === 'tool' && row.outcome === 'error' ? { ...row, outcome: 'ok' } : row)),
  },
  {
    fault: 'takes failed calls for good ones',
    foundBy: 'a failed call is an error',
    make: spelling(() => (row) => (row.kind === 'llm' && row.outcome === 'error' ? { ...row, outcome: 'ok' } : row)),
  },
  {
    fault: 'takes what was cancelled for failed',
    foundBy: 'what was cancelled did not fail',
    make: spelling(() => (row) => (row.outcome === 'cancelled' ? { ...row, outcome: 'error' } : row)),
  },
  {
    fault: 'takes denied tools for failed ones',
    foundBy: 'a denied tool is told from a failed one',
    make: spelling(() => (row) => (row.outcome === 'denied' ? { ...row, outcome: 'error' } : row)),
  },
  {
    fault: 'hides that an end is missing',
    foundBy: 'a span that nobody saw end says so',
    make: spelling(() => (row) => (row.issues?.includes('no_end') === true ? without(row, 'issues') : row)),
  },
  {
    fault: 'takes all content unasked',
    foundBy: 'by default no content is in anything that leaves',
    make: behaving(() => ({
      capture: { prompts: true, outputs: true, errors: true, toolInputs: true, toolOutputs: true },
    })),
  },
  {
    fault: 'loses the content of tools',
    foundBy: 'content that may leave arrives',
    make: spelling(() => (row) => (row.kind === 'tool' ? { ...row, text: '' } : row)),
  },
  {
    fault: 'cuts bytes instead of characters',
    foundBy: 'a long text is cut between characters',
    make: spelling(() => (row) => ({
      ...row,
      text: row.text.length < 300 || row.text.length > 2_000 ? row.text : halved(row.text),
    })),
  },
  {
    fault: 'knows its models by heart',
    foundBy: 'an unknown model is a model',
    make: spelling(
      () => (row, span) => (span.kind === 'llm' && !span.requestModel.startsWith('claude-') ? undefined : row),
    ),
  },
  {
    fault: 'keeps no more than 1,000 spans and says nothing',
    foundBy: 'of 10000 spans each is delivered or counted as dropped',
    make: spelling(() => {
      let count = 0;
      return (row) => ((count += 1) > 1_000 ? undefined : row);
    }),
  },
  {
    fault: 'lets attributes of the user replace its own',
    foundBy: 'attributes of the user are never taken for ours',
    make: spelling(() => (row, span) => ({ ...row, ...span.attributes })),
  },
  {
    fault: 'swallows what flush has to say',
    foundBy: 'a backend that refuses makes flush reject, and what is lost or waits is counted',
    make: behaving((sink) => ({
      flush: (deadlineMs) =>
        sink.flush(deadlineMs).catch((error: unknown) => {
          if ((error as Error).name === 'TimeoutError') throw error;
        }),
    })),
  },
  {
    fault: 'ignores the deadline',
    foundBy: 'a backend that hangs costs no more than the deadline',
    make: behaving((sink) => ({ flush: () => sink.flush(2 ** 30) })),
  },
  {
    fault: 'tells what is told again',
    foundBy: 'what is wrong with a backend is one line',
    make: behaving((sink, { diag }) => ({
      close: (deadlineMs) =>
        sink.close(deadlineMs).catch((error: unknown) => {
          diag('error', String(error));
          throw error;
        }),
    })),
  },
  {
    fault: 'does not wait for Retry-After',
    foundBy: '429 is tried again after what Retry-After says',
    make: (options) => referenceSink({ ...options, waitMs: () => 1 }),
  },
  {
    fault: 'fails when it is closed again',
    foundBy: 'close() twice is close() once',
    make: behaving((sink) => {
      let count = 0;
      return {
        close: (deadlineMs) => ((count += 1) === 2 ? Promise.reject(new Error('closed')) : sink.close(deadlineMs)),
      };
    }),
  },
  {
    fault: 'drops without a word what comes after close()',
    foundBy: 'what comes after close() is dropped and counted',
    make: behaving((sink) => {
      let isClosed = false;
      return {
        spanEnd: (span) => (isClosed ? undefined : sink.spanEnd(span)),
        close: (deadlineMs) => {
          isClosed = true;
          return sink.close(deadlineMs);
        },
      };
    }),
  },
  {
    fault: 'forgets what comes after the end of its turn',
    foundBy: 'a span after the end of its turn is delivered or counted',
    make: behaving((sink) => {
      let isOver = false;
      return {
        turnEnd: () => {
          isOver = true;
        },
        spanEnd: (span) =>
          isOver && span.kind === 'llm' && span.messageId === 'msg_9' ? undefined : sink.spanEnd(span),
      };
    }),
  },
  {
    fault: 'writes its notes into the spans',
    foundBy: 'spans are not changed',
    make: behaving((sink) => ({
      spanEnd: (span) => {
        Object.assign(span, { isSent: true });
        sink.spanEnd(span);
      },
    })),
  },
  {
    fault: 'says something else each time',
    foundBy: 'the same spans twice give the same rows, byte for byte',
    make: spelling(() => (row) => ({ ...row, nonce: Math.random() })),
  },
  {
    fault: 'talks to the console',
    foundBy: 'nothing is written to the console',
    make: behaving((sink) => ({
      close: (deadlineMs) => {
        // Nothing that could be seen: the writing itself is the fault.
        process.stderr.write('');
        return sink.close(deadlineMs);
      },
    })),
  },
  {
    fault: 'leaves a timer behind',
    foundBy: 'no timer is left after close()',
    make: behaving((sink) => {
      let timer: ReturnType<typeof setInterval> | undefined;
      let isClosed = false;
      return {
        spanEnd: (span) => {
          // Stopped by the second close() alone, which is one too late.
          if (!isClosed) timer ??= setInterval(() => undefined, 60_000);
          sink.spanEnd(span);
        },
        close: async (deadlineMs) => {
          if (isClosed) clearInterval(timer);
          isClosed = true;
          await sink.close(deadlineMs);
        },
      };
    }),
  },
];

function halved(text: string): string {
  const bytes = Buffer.from(text);
  const cut = bytes.findIndex((byte, at) => at > bytes.length / 2 && (byte & 0xc0) === 0x80);
  return (cut < 0 ? bytes : bytes.subarray(0, cut)).toString();
}
