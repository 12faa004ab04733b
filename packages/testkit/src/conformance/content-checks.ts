import assert from 'node:assert/strict';
import { type Row, type SinkCheck } from './sink-case.ts';
import { CANARY, CONTENT, FIGURES, LARGE, LARGE_TOKENS, longText, OUTCOMES } from './traces.ts';

const sum = (rows: readonly Row[], field: 'countedInput' | 'countedOutput' | 'costUsd'): number =>
  rows.reduce((total, row) => total + (row[field] ?? 0), 0);

export const NUMBERS: readonly SinkCheck[] = [
  {
    group: 'numbers',
    name: 'tokens are counted once per trace',
    run: async (rig) => {
      rig.play(FIGURES);
      assert.equal(sum(await rig.rows(), 'countedOutput'), 50);
    },
  },
  {
    group: 'numbers',
    name: 'cached tokens are part of the input',
    run: async (rig) => {
      rig.play(FIGURES);
      const { countedInput, cachedInput } = await rig.row('msg_2');
      assert.deepEqual({ countedInput, cachedInput }, { countedInput: 1000, cachedInput: 900 });
    },
  },
  {
    group: 'numbers',
    name: 'a figure that is not known is not 0',
    run: async (rig) => {
      rig.play(FIGURES);
      const { countedInput, countedOutput, cachedInput, costUsd } = await rig.row('msg_3');
      assert.deepEqual(
        [countedInput, countedOutput, cachedInput, costUsd],
        [undefined, undefined, undefined, undefined],
      );
    },
  },
  {
    group: 'numbers',
    name: 'money is counted once per trace',
    needs: ['cost'],
    run: async (rig) => {
      rig.play(FIGURES);
      assert.equal(sum(await rig.rows(), 'costUsd'), 0.25);
    },
  },
  {
    group: 'numbers',
    name: 'large figures are exact',
    run: async (rig) => {
      rig.play(LARGE);
      assert.equal((await rig.row('msg_2')).countedInput, LARGE_TOKENS);
    },
  },
];

function outcome(name: string, label: string, expected: Row['outcome']): SinkCheck {
  return {
    group: 'outcome',
    name,
    run: async (rig) => {
      rig.play(OUTCOMES);
      assert.equal((await rig.row(label)).outcome, expected);
    },
  };
}

export const OUTCOME: readonly SinkCheck[] = [
  outcome('a failed tool is an error', 'toolu_2', 'error'),
  outcome('a failed call is an error', 'msg_3', 'error'),
  outcome('what was cancelled did not fail', 'msg_4', 'cancelled'),
  outcome('a denied tool is told from a failed one', 'toolu_5', 'denied'),
  {
    group: 'outcome',
    name: 'a span that nobody saw end says so',
    needs: ['issues'],
    run: async (rig) => {
      rig.play(OUTCOMES);
      assert.deepEqual((await rig.row('toolu_7')).issues, ['no_end']);
    },
  },
];

export const PRIVACY: readonly SinkCheck[] = [
  {
    group: 'privacy',
    name: 'by default no content is in anything that leaves',
    run: async (rig) => {
      rig.play(CONTENT);
      assert.equal((await rig.rows()).length, 3);
      assert.equal(rig.bytes().includes(CANARY), false);
    },
  },
  {
    group: 'privacy',
    name: 'content that may leave arrives',
    needs: ['content'],
    run: async (rig) => {
      rig.play(CONTENT, 'full');
      for (const label of ['msg_2', 'toolu_3', 'main'])
        assert.match((await rig.row(label)).text, new RegExp(CANARY), label);
    },
  },
  {
    group: 'privacy',
    name: 'a long text is cut between characters',
    needs: ['content'],
    run: async (rig) => {
      rig.play(longText(4_000), { outputs: true, maxTextBytes: 1_001 });
      const { text } = await rig.row('msg_2');
      assert.match(text, /🎉/u);
      assert.equal(/\uFFFD/u.test(text), false);
      assert.equal(text.isWellFormed(), true);
    },
  },
  {
    group: 'privacy',
    name: 'a text at which redaction fails does not leave',
    run: async (rig) => {
      const redact = (): string => {
        throw new Error('of the redactor');
      };
      rig.play(CONTENT, { prompts: true, outputs: true, toolInputs: true, toolOutputs: true, errors: true }, redact);
      assert.equal((await rig.rows()).length, 3);
      assert.equal(rig.bytes().includes(CANARY), false);
    },
  },
];
