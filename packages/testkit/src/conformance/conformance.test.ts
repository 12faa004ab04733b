import { memorySink } from '@spanprism/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { referenceCase, wireRow } from './reference-sink.ts';
import { runSinkCheck, type SinkCase, type SinkCheck } from './sink-case.ts';
import { SINK_CHECKS, testSink } from './test-sink.ts';

describe('the suite of sinks', () => {
  testSink(test, referenceCase());

  const memoryCase: SinkCase<ReturnType<typeof memorySink>['spans']> = {
    name: 'memorySink',
    can: ['ownIds', 'cost', 'issues', 'firstToken', 'content'],
    make: () => {
      const sink = memorySink();
      return { sink, sent: () => sink.spans };
    },
    // It keeps captured spans as they are: the fields of a row are read off.
    decode: (spans) =>
      spans.map((span) => {
        const { startedAt, endedAt, firstTokenAt, ...rest } = wireRow(span);
        const first = firstTokenAt === undefined ? {} : { firstTokenAt: BigInt(firstTokenAt) };
        return { ...rest, startedAt: BigInt(startedAt), endedAt: BigInt(endedAt), ...first };
      }),
  };
  testSink(test, memoryCase);
});

describe('a sink with one fault', () => {
  const failures = new Map(MUTANTS.map(({ fault }): [string, string[]] => [fault, []]));

  beforeAll(async () => {
    const runs = MUTANTS.flatMap((mutant) => SINK_CHECKS.map((check) => ({ mutant, check })));
    const run = ({ mutant, check }: (typeof runs)[number]): Promise<unknown> =>
      runSinkCheck(check, referenceCase(mutant.make)).catch(() => failures.get(mutant.fault)?.push(check.name));
    // What has to fail is run in peace as well: some of it is about time.
    const isAlone = ({ mutant, check }: (typeof runs)[number]): boolean =>
      check.isAlone === true || check.name === mutant.foundBy;
    const beside = runs.filter((one) => !isAlone(one));
    const worker = async (): Promise<void> => {
      for (let next = beside.pop(); next !== undefined; next = beside.pop()) await run(next);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    for (const alone of runs.filter(isAlone)) await run(alone);
  }, 120_000);

  test.each(MUTANTS)('that $fault fails one check and no other', ({ fault, foundBy }) => {
    expect(failures.get(fault)).toEqual([foundBy]);
  });

  test('there is one for nearly every check', () => {
    const found = new Set(MUTANTS.map(({ foundBy }) => foundBy));
    const names = SINK_CHECKS.map(({ name }: SinkCheck) => name);
    expect([...found].filter((name) => !names.includes(name))).toEqual([]);
    expect(names.filter((name) => !found.has(name))).toEqual([
      'ids are those of the spans',
      // What these hold is done before a span reaches its sink.
      'a text at which redaction fails does not leave',
      'messages without content are messages',
      '10 MB of content arrive cut',
      'half a surrogate pair loses no span',
      'a flush with nothing to send is done',
    ]);
  });
});
