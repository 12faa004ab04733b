// `npm run demo`: a real agent, traced. The three lines that trace it are marked with an arrow.
import { readFileSync } from 'node:fs';
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { consoleSink, createTracing, memorySink, renderTree } from '@spanprism/core';
import { liveStage, scriptedStage, type Stage } from './stage.ts';

const [mode, ...words] = process.argv.slice(2);
const isColored = process.stdout.isTTY && !process.env['NO_COLOR'];
const heading = (text: string): string => (isColored ? `\n\u001b[1m${text}\u001b[22m\n` : `\n${text}\n`);

if (mode === undefined) process.exitCode = await demonstrate(await scriptedStage());
else if (mode !== '--live') process.exitCode = fail(`unknown argument ${mode}`);
else if (!process.env['ANTHROPIC_API_KEY'])
  process.exitCode = fail('--live needs ANTHROPIC_API_KEY in the environment');
else if (words.length === 0) process.exitCode = fail('--live needs a prompt');
else process.exitCode = await demonstrate(await liveStage(words.join(' ')));

async function demonstrate(stage: Stage): Promise<number> {
  await using _ = stage;
  console.error(heading(`While it runs: ${stage.story}`));
  const memory = memorySink();
  const tracing = createTracing({ sinks: [consoleSink(), memory], capture: 'full' }); // ←
  const { query } = tracing.wrapSdk(sdk); // ←
  const answer = await lastWords(query({ prompt: stage.prompt, options: stage.options }));
  await tracing.close(); // ←

  console.log(`${heading('The answer')}${answer}`);
  const columns = process.stdout.isTTY ? { columns: process.stdout.columns } : {};
  console.log(`${heading('The trace')}${renderTree(memory.spans, { color: isColored, ...columns })}`);
  console.log(`${heading('What traced it (examples/demo/main.ts)')}${marked(import.meta.filename)}`);
  return 0;
}

async function lastWords(messages: AsyncIterable<sdk.SDKMessage>): Promise<string> {
  let last = '(no answer)';
  for await (const message of messages) {
    if (message.type === 'result') last = 'result' in message ? message.result : message.subtype;
  }
  return last;
}

function marked(file: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line) => (line.endsWith('; // ←') ? [line.slice(0, -' // ←'.length)] : [])).join('\n');
}

function fail(problem: string): number {
  console.error(`${problem}\n\n  npm run demo                          without a key: the API is scripted`);
  console.error('  npm run demo -- --live "your prompt"  with ANTHROPIC_API_KEY: the real API');
  return 1;
}
