import { createSdkMcpServer, type SDKMessage, tool } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';
import { answer, apiError, type Block, text, thinking, toolUse, type WireUsage } from '../messages-api/reply.ts';
import { when } from '../messages-api/rule.ts';
import type { RecordScript } from './script.ts';

const STORY = 'once upon a time '.repeat(20);
const LONG_REPLY = 'a long reply '.repeat(10);
/** What scripts say at length; every other long text in a run is the CLI's own wording. */
export const LONG_TEXTS: readonly string[] = [STORY, LONG_REPLY];

/** Figures that tell every call from every other. */
function usage(input: number, output: number): WireUsage {
  return {
    input_tokens: input,
    output_tokens: output,
    cache_creation_input_tokens: 300,
    cache_read_input_tokens: 4000,
  };
}

function bash(id: string, command: string): Block {
  return toolUse({ id, name: 'Bash', input: { command, description: 'run it' } });
}

function agent(id: string, task: string, inBackground: boolean): Block {
  const input = {
    description: task.toLowerCase(),
    prompt: task,
    subagent_type: 'general-purpose',
    run_in_background: inBackground,
  };
  return toolUse({ id, name: 'Agent', input });
}

const isAssistant = ({ type }: SDKMessage): boolean => type === 'assistant';
const isFirstWord = (message: SDKMessage): boolean =>
  message.type === 'stream_event' && message.event.type === 'content_block_delta';

const calculator = () =>
  createSdkMcpServer({
    name: 'calc',
    version: '1.0.0',
    tools: [
      tool('add', 'Adds two numbers', { a: z.number(), b: z.number() }, async ({ a, b }) => ({
        content: [{ type: 'text', text: String(a + b) }],
      })),
      tool('fail', 'Fails', {}, async () => ({ content: [{ type: 'text', text: 'out of numbers' }], isError: true })),
    ],
  });

/** All recordings of the project's own. */
export const SCRIPTS: readonly RecordScript[] = [
  {
    name: 'plain-text',
    queries: [{ prompt: 'say hello' }],
    rules: [when.lastUserText('say hello').reply(answer(text('Hello there.'), { usage: usage(1210, 11) }))],
  },
  {
    name: 'bash-call',
    hasTraceparent: true,
    queries: [{ prompt: 'say hello with bash' }],
    rules: [
      when.toolResult('toolu_hello').reply(answer(text('Done.'), { usage: usage(1420, 12) })),
      when
        .lastUserText(/bash/)
        .reply(
          answer([text('Let me check.'), bash('toolu_hello', 'echo hello-from-tool')], { usage: usage(1220, 55) }),
        ),
    ],
  },
  {
    name: 'three-tools-at-once',
    hasTraceparent: true,
    queries: [{ prompt: 'look at everything' }],
    rules: [
      when.toolResult('toolu_read').reply(answer(text('All seen.'), { usage: usage(1830, 13) })),
      when
        .lastUserText('look at everything')
        .reply(
          answer(
            [
              bash('toolu_slow', 'sleep 0.2; cat a.txt'),
              bash('toolu_quick', 'sleep 0.1; cat b.txt'),
              toolUse({ id: 'toolu_read', name: 'Read', input: { file_path: 'README.md' } }),
            ],
            { usage: usage(1230, 90) },
          ),
        ),
    ],
  },
  {
    name: 'failing-tools',
    hasTraceparent: true,
    queries: [{ prompt: 'break something' }],
    rules: [
      when.toolResult('toolu_missing').reply(answer(text('Both failed.'), { usage: usage(1640, 14) })),
      when.toolResult('toolu_exit').reply(
        answer(toolUse({ id: 'toolu_missing', name: 'Read', input: { file_path: 'missing.txt' } }), {
          usage: usage(1440, 44),
        }),
      ),
      when
        .lastUserText('break something')
        .reply(answer(bash('toolu_exit', 'echo broken >&2; exit 3'), { usage: usage(1240, 54) })),
    ],
  },
  {
    name: 'host-denies',
    hasTraceparent: true,
    queries: [
      {
        prompt: 'touch it',
        options: () => ({
          allowedTools: [],
          canUseTool: async () => ({ behavior: 'deny', message: 'not on this machine' }),
        }),
      },
    ],
    rules: [
      when.toolResult('toolu_touch').reply(answer(text('Then not.'), { usage: usage(1450, 15) })),
      when.lastUserText('touch it').reply(answer(bash('toolu_touch', 'touch new.txt'), { usage: usage(1250, 45) })),
    ],
  },
  {
    name: 'mcp-tools',
    hasTraceparent: true,
    queries: [
      {
        prompt: 'calculate',
        options: () => ({ mcpServers: { calc: calculator() }, allowedTools: ['mcp__calc'] }),
      },
    ],
    rules: [
      when.toolResult('toolu_fail').reply(answer(text('Five.'), { usage: usage(1660, 16) })),
      when
        .toolResult('toolu_add', /^5/)
        .reply(answer(toolUse({ id: 'toolu_fail', name: 'mcp__calc__fail', input: {} }), { usage: usage(1460, 46) })),
      when.lastUserText('calculate').reply(
        answer(toolUse({ id: 'toolu_add', name: 'mcp__calc__add', input: { a: 2, b: 3 } }), {
          usage: usage(1260, 56),
        }),
      ),
    ],
  },
  {
    name: 'foreground-subagent',
    hasTraceparent: true,
    queries: [{ prompt: 'delegate' }],
    rules: [
      when
        .agent('subagent')
        .toolResult('toolu_inner')
        .reply(answer(text('ALPHA is here.'), { usage: usage(770, 27) })),
      when
        .agent('subagent')
        .firstUserText('Find ALPHA')
        .reply(answer(bash('toolu_inner', 'cat a.txt'), { usage: usage(670, 37) })),
      when
        .agent('main')
        .toolResult('toolu_agent')
        .reply(answer(text('All done.'), { usage: usage(1570, 17) })),
      when
        .agent('main')
        .lastUserText('delegate')
        .reply(answer([text('Delegating.'), agent('toolu_agent', 'Find ALPHA', false)], { usage: usage(1270, 57) })),
    ],
  },
  {
    name: 'forwarded-subagent',
    hasTraceparent: true,
    queries: [
      {
        prompt: 'delegate',
        options: () => ({ includePartialMessages: true, forwardSubagentText: true }),
      },
    ],
    rules: [
      when
        .agent('subagent')
        .firstUserText('Find BETA')
        .reply(answer(text('BETA is here.'), { usage: usage(675, 36) })),
      when
        .agent('main')
        .toolResult('toolu_agent')
        .reply(answer(text('All done.'), { usage: usage(1575, 26) })),
      when
        .agent('main')
        .lastUserText('delegate')
        .reply(answer(agent('toolu_agent', 'Find BETA', false), { usage: usage(1275, 66) })),
    ],
  },
  {
    name: 'background-subagent',
    hasTraceparent: true,
    queries: [{ prompt: ['delegate in the background'] }],
    rules: [
      when
        .agent('subagent')
        .toolResult('toolu_inner')
        .reply(answer(text('GAMMA is here.'), { usage: usage(780, 28), delayMs: 200 })),
      when
        .agent('subagent')
        .firstUserText('Find GAMMA')
        .reply(answer(bash('toolu_inner', 'sleep 0.2; cat a.txt'), { usage: usage(680, 38) })),
      when.taskNotification(/GAMMA/).reply(answer(text('It is done.'), { usage: usage(1780, 48) })),
      when.toolResult('toolu_agent').reply(answer(text('Started.'), { usage: usage(1580, 18) })),
      when
        .lastUserText('delegate in the background')
        .reply(answer(agent('toolu_agent', 'Find GAMMA', true), { usage: usage(1280, 58) })),
    ],
  },
  {
    name: 'partials-with-thinking',
    hasTraceparent: true,
    queries: [{ prompt: 'think', options: () => ({ model: 'claude-opus-4-6', includePartialMessages: true }) }],
    rules: [
      when.toolResult('toolu_thought').reply(answer(text('Thought through.'), { usage: usage(1490, 19) })),
      when.lastUserText('think').reply(
        answer([thinking('step by step'), text('Let me look.'), bash('toolu_thought', 'cat a.txt')], {
          usage: usage(1290, 59),
        }),
      ),
    ],
  },
  {
    name: 'overloaded-once',
    hasTraceparent: true,
    queries: [{ prompt: 'hi' }],
    rules: [when.lastUserText('hi').reply([apiError(529), answer(text('Finally.'), { usage: usage(1300, 20) })])],
  },
  {
    name: 'bad-request',
    hasTraceparent: true,
    queries: [{ prompt: 'hi' }],
    rules: [when.lastUserText('hi').reply(apiError(400, { message: 'scripted refusal of the request' }))],
  },
  {
    name: 'interrupted',
    hasTraceparent: true,
    queries: [
      {
        prompt: ['tell a story', 'go on'],
        options: () => ({ includePartialMessages: true }),
        interruptAfter: isFirstWord,
      },
    ],
    rules: [
      when.lastUserText('go on').reply(answer(text('The end.'), { usage: usage(1510, 21) })),
      when
        .lastUserText('tell a story')
        .reply(answer(text(STORY), { usage: usage(1310, 61), deltaChars: 12, perDeltaMs: 100 })),
    ],
  },
  {
    name: 'three-turns',
    queries: [
      {
        prompt: ['one', 'two', 'three'],
        steering: { text: 'be brief', after: isAssistant },
      },
    ],
    rules: [
      when.lastUserText('one').reply(answer(bash('toolu_long', 'sleep 0.3; cat a.txt'), { usage: usage(1320, 22) })),
      when.toolResult('toolu_long').reply(answer(text('First.'), { usage: usage(1520, 32) })),
      when.lastUserText('two').reply(answer(text('Second.'), { usage: usage(1720, 42) })),
      when.lastUserText('three').reply(answer(text('Third.'), { usage: usage(1920, 52) })),
    ],
  },
  {
    name: 'resumed-and-forked',
    hasTraceparent: true,
    queries: [
      { label: 'A', prompt: 'first' },
      { label: 'B', prompt: 'second', options: ([first = '']) => ({ resume: first }) },
      { label: 'C', prompt: 'third', options: ([first = '']) => ({ resume: first, forkSession: true }) },
    ],
    rules: [
      when.lastUserText('first').reply(answer(text('One.'), { usage: usage(1330, 23) })),
      when.lastUserText('second').reply(answer(text('Two.'), { usage: usage(1530, 33) })),
      when.lastUserText('third').reply(answer(text('Three.'), { usage: usage(1730, 43) })),
    ],
  },
  {
    name: 'compacted',
    hasTraceparent: true,
    queries: [{ prompt: ['one', '/compact', 'two'] }],
    rules: [
      when.purpose('compaction').reply(answer(text('<summary>They said one.</summary>'), { usage: usage(2340, 24) })),
      when.lastUserText('one').reply(answer(text(LONG_REPLY), { usage: usage(1340, 34) })),
      when.lastUserText('two').reply(answer(text('Second.'), { usage: usage(1540, 44) })),
    ],
  },
  {
    name: 'no-request-ids',
    hasTraceparent: true,
    hidesRequestIds: true,
    queries: [{ prompt: 'say hello with bash' }],
    rules: [
      when.toolResult('toolu_hello').reply(answer(text('Done.'), { usage: usage(1450, 25) })),
      when.lastUserText(/bash/).reply(answer(bash('toolu_hello', 'echo hello-from-tool'), { usage: usage(1250, 35) })),
    ],
  },
];
