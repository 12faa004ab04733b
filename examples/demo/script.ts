import { join } from 'node:path';
import { answer, apiError, type Block, type Rule, text, toolUse, type WireUsage, when } from '@spanprism/testkit';

export const PROMPT = 'Fix the typo in the greeting, then let a second agent review it.';

/** The project that the agent finds. */
export const files: Readonly<Record<string, string>> = {
  'greeting.ts': 'export const greet = (name: string): string => `Helo, ${name}!`;\n',
  'README.md': '# Greeter\n\n`greet("Ada")` gives "Hello, Ada!".\n',
};

const TASK = 'Check that greeting.ts does what README.md says.';
const main = when.agent('main');
const sub = when.agent('subagent');

/** What the model says, by what it was asked last. */
export function rules(cwd: string): readonly Rule[] {
  const greeting = join(cwd, 'greeting.ts');
  const readme = join(cwd, 'README.md');
  const edit = { file_path: greeting, old_string: 'Helo', new_string: 'Hello' };
  const review = {
    description: 'Review',
    prompt: TASK,
    subagent_type: 'general-purpose',
    model: 'haiku',
    run_in_background: false,
  };
  return [
    main.lastUserText(PROMPT).reply(
      says([text('Let me see the greeting and what it should be.'), ...reads('main', greeting, readme)], {
        usage: cached({ read: 0, written: 11_840, output: 148 }),
      }),
    ),
    main.toolResult('toolu_main_2').reply(
      says([text('"Helo" lacks an l.'), toolUse({ id: 'toolu_edit', name: 'Edit', input: edit })], {
        usage: cached({ read: 11_840, written: 412, output: 131 }),
      }),
    ),
    main.toolResult('toolu_edit').reply(
      says([text('Now the review.'), toolUse({ id: 'toolu_review', name: 'Agent', input: review })], {
        usage: cached({ read: 12_252, written: 287, output: 96 }),
      }),
    ),
    main.toolResult('toolu_review').reply(
      says([text('The greeting says "Hello" now, and the review agrees: it matches the README.')], {
        usage: cached({ read: 12_539, written: 344, output: 31 }),
      }),
    ),
    sub
      .firstUserText(TASK)
      .toolResult('toolu_sub_2')
      .reply(
        says([text('greeting.ts and README.md agree.')], { usage: cached({ read: 2_910, written: 356, output: 14 }) }),
      ),
    // The API is overloaded once; the same call is made again.
    sub
      .lastUserText(TASK)
      .reply([
        apiError(529, { message: 'Overloaded', delayMs: 200 }),
        says(reads('sub', greeting, readme), { usage: cached({ read: 0, written: 2_910, output: 88 }) }),
      ]),
  ];
}

function reads(agent: string, ...paths: readonly string[]): readonly Block[] {
  return paths.map((path, index) =>
    toolUse({ id: `toolu_${agent}_${index + 1}`, name: 'Read', input: { file_path: path } }),
  );
}

function says(blocks: readonly Block[], { usage }: { readonly usage: WireUsage }) {
  return answer(blocks, { usage, delayMs: 350, perDeltaMs: 40 });
}

function cached(tokens: { readonly read: number; readonly written: number; readonly output: number }): WireUsage {
  return {
    input_tokens: 4,
    output_tokens: tokens.output,
    cache_read_input_tokens: tokens.read,
    cache_creation_input_tokens: tokens.written,
  };
}
