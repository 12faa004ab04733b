import assert from 'node:assert/strict';
import type { Message } from '@spanprism/core';
import { DEADLINE_MS, droppedBy, type SinkCheck } from './sink-case.ts';
import { agent, llm, longText, told, tool } from './traces.ts';

const MANY = 10_000;

function answer(text: string): readonly Message[] {
  return [{ role: 'assistant', content: [{ type: 'text', text }] }];
}

export const ROBUSTNESS: readonly SinkCheck[] = [
  {
    group: 'robustness',
    name: 'an unknown model is a model',
    run: async (rig) => {
      const usage = { inputTokens: 7, outputTokens: 1 };
      rig.play(
        told([
          llm({ id: 2, parent: 1, ms: [0, 1], requestModel: 'nobody-knows-1', usage }),
          agent({ id: 1, ms: [0, 2] }),
        ]),
      );
      assert.equal((await rig.row('msg_2')).countedInput, 7);
    },
  },
  {
    group: 'robustness',
    name: 'messages without content are messages',
    run: async (rig) => {
      const call = llm({ id: 2, parent: 1, ms: [0, 1], input: [{ role: 'user', content: [] }], output: [] });
      rig.play(told([call, agent({ id: 1, ms: [0, 2], input: [], output: [] })]), 'full');
      assert.equal((await rig.rows()).length, 2);
    },
  },
  {
    group: 'robustness',
    name: '10 MB of content arrive cut',
    needs: ['content'],
    run: async (rig) => {
      rig.play(longText(10_000_000), 'full');
      const { text } = await rig.row('msg_2');
      assert.ok(text.length > 10_000 && text.length < 200_000, `${text.length} characters`);
    },
  },
  {
    group: 'robustness',
    name: `of ${MANY} spans each is delivered or counted as dropped`,
    isHeavy: true,
    run: async (rig) => {
      const tools = Array.from({ length: MANY - 1 }, (_, index) =>
        tool({ id: index + 2, parent: 1, ms: [index, index + 1] }),
      );
      rig.play(told([...tools, agent({ id: 1, ms: [0, MANY] })]));
      const arrived = (await rig.rows()).length;
      assert.equal(arrived + droppedBy(rig.sink), MANY);
    },
  },
  {
    group: 'robustness',
    name: 'half a surrogate pair loses no span',
    run: async (rig) => {
      const broken = '\ud83d and \udf89';
      const call = llm({ id: 2, parent: 1, ms: [0, 1], output: answer(broken) });
      rig.play(
        told([call, tool({ id: 3, parent: 1, ms: [0, 1], output: broken }), agent({ id: 1, ms: [0, 2] })]),
        'full',
      );
      assert.equal((await rig.rows()).length, 3);
    },
  },
  {
    group: 'robustness',
    name: 'attributes of the user are never taken for ours',
    run: async (rig) => {
      const attributes = {
        'gen_ai.usage.output_tokens': 999,
        countedOutput: 999,
        outcome: 'cancelled',
        'claude.cancelled': true,
      };
      const usage = { inputTokens: 7, outputTokens: 1 };
      rig.play(
        told([llm({ id: 2, parent: 1, ms: [0, 1], usage, attributes }), agent({ id: 1, ms: [0, 2], attributes })]),
      );
      const [call, main] = [await rig.row('msg_2'), await rig.row('main')];
      assert.deepEqual([call.countedOutput, call.outcome], [1, 'ok']);
      assert.deepEqual([main.countedOutput, main.outcome], [undefined, 'ok']);
    },
  },
  {
    group: 'robustness',
    name: 'a flush with nothing to send is done',
    run: async (rig) => {
      await rig.sink.flush(DEADLINE_MS);
      assert.deepEqual(await rig.rows(), []);
    },
  },
];
