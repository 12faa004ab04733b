import type { RequestPurpose } from './purpose.ts';
import { answer, type Block, type Reply } from './reply.ts';
import type { MessagesRequest } from './request.ts';

/** A string must be the whole text; a pattern must be found in it. */
export type TextMatch = string | RegExp;

/** What a rule answers with; a lone block is a complete answer. */
export type ReplyLike = Reply | Block | ((request: MessagesRequest) => Reply | Block);

/** A condition and the replies to requests that meet it. */
export interface Rule {
  readonly name: string;
  readonly applies: (request: MessagesRequest) => boolean;
  /** Replies to the first, second, … request that meets it; undefined once a sequence is used up. */
  readonly replyTo: (request: MessagesRequest, nth: number) => Reply | undefined;
}

/** A condition on requests, narrowed step by step; `reply` makes it a rule. Conditions are immutable. */
export interface Condition {
  /** The last user message ends with this text. Not met by a message that only carries tool results. */
  readonly lastUserText: (match: TextMatch) => Condition;
  /** The conversation began with this text: tells subagents apart by their task. */
  readonly firstUserText: (match: TextMatch) => Condition;
  /** The last user message carries the result of this tool call. */
  readonly toolResult: (toolUseId: string, match?: TextMatch) => Condition;
  /** The turn was started by a background task that ended. */
  readonly taskNotification: (match?: TextMatch) => Condition;
  readonly agent: (agent: 'main' | 'subagent' | { readonly id: string }) => Condition;
  readonly session: (sessionId: string) => Condition;
  readonly model: (match: TextMatch) => Condition;
  readonly system: (match: TextMatch) => Condition;
  /** Without it a condition is met by requests of purpose `turn` alone. */
  readonly purpose: (purpose: RequestPurpose) => Condition;
  /** Anything else; the label is for messages. */
  readonly satisfies: (label: string, predicate: (request: MessagesRequest) => boolean) => Condition;
  /** A single reply answers every request that meets the condition; a list answers as many as it is long, in its order. */
  readonly reply: (reply: ReplyLike | readonly ReplyLike[]) => Rule;
}

interface Test {
  readonly label: string;
  readonly holds: (request: MessagesRequest) => boolean;
}

interface Conjunction {
  readonly purpose: RequestPurpose;
  readonly tests: readonly Test[];
}

/** The condition that every request of purpose `turn` meets: `when.lastUserText('hi').reply(text('Hello'))`. */
export const when: Condition = condition({ purpose: 'turn', tests: [] });

function condition(all: Conjunction): Condition {
  const and = (label: string, holds: Test['holds']): Condition =>
    condition({ ...all, tests: [...all.tests, { label, holds }] });
  return {
    lastUserText: (match) => and(`last user text ${print(match)}`, (request) => matches(request.lastUserText, match)),
    firstUserText: (match) =>
      and(`first user text ${print(match)}`, (request) => matches(request.firstUserText, match)),
    toolResult: (toolUseId, match = /(?:)/) =>
      and(`result of ${toolUseId}`, ({ toolResults }) =>
        toolResults.some((result) => result.toolUseId === toolUseId && matches(result.text, match)),
      ),
    taskNotification: (match = /(?:)/) =>
      and('task notification', ({ reminders }) =>
        reminders.some((reminder) => reminder.includes('<task-notification>') && matches(reminder, match)),
      ),
    agent: (agent) =>
      and(`agent ${typeof agent === 'string' ? agent : agent.id}`, ({ agentId }) => isAgent(agentId, agent)),
    session: (sessionId) => and(`session ${sessionId}`, (request) => request.sessionId === sessionId),
    model: (match) => and(`model ${print(match)}`, (request) => matches(request.model, match)),
    system: (match) => and(`system ${print(match)}`, (request) => matches(request.systemText, match)),
    purpose: (purpose) => condition({ ...all, purpose }),
    satisfies: and,
    reply: (reply) => ruleOf(all, reply),
  };
}

function ruleOf(all: Conjunction, reply: ReplyLike | readonly ReplyLike[]): Rule {
  return {
    name: [all.purpose, ...all.tests.map((test) => test.label)].join(', '),
    applies: (request) => request.purpose === all.purpose && all.tests.every((test) => test.holds(request)),
    replyTo: (request, nth) => {
      const chosen = isList(reply) ? reply[nth] : reply;
      return chosen === undefined ? undefined : settle(chosen, request);
    },
  };
}

function settle(like: ReplyLike, request: MessagesRequest): Reply {
  const reply = typeof like === 'function' ? like(request) : like;
  return 'kind' in reply ? reply : answer(reply);
}

function isList(reply: ReplyLike | readonly ReplyLike[]): reply is readonly ReplyLike[] {
  return Array.isArray(reply);
}

function isAgent(agentId: string | undefined, agent: 'main' | 'subagent' | { readonly id: string }): boolean {
  if (agent === 'main') return agentId === undefined;
  return agent === 'subagent' ? agentId !== undefined : agentId === agent.id;
}

function matches(text: string | undefined, match: TextMatch): boolean {
  if (text === undefined) return false;
  // `search` takes no notice of a pattern's state, which `test` would keep between requests.
  return typeof match === 'string' ? text === match : text.search(match) >= 0;
}

function print(match: TextMatch): string {
  return typeof match === 'string' ? JSON.stringify(match) : String(match);
}
