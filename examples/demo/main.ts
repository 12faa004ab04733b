// `npm run demo`: a real agent, traced. The lines that trace it are marked with an arrow.
import { readFileSync } from 'node:fs';
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { consoleSink, createTracing, memorySink, renderTree } from '@spanprism/core';
import { liveStage, type Stage, scriptedStage } from './stage.ts';

const [mode, ...words] = process.argv.slice(2);
const isColored = process.stdout.isTTY && !process.env['NO_COLOR'];
const heading = (text: string): string => (isColored ? `\n\u001b[1m${text}\u001b[22m\n` : `\n${text}\n`);

if (mode === undefined) await demonstrate(await scriptedStage());
else if (mode !== '--live') refuse(`unknown argument ${mode}`);
else if (!process.env['ANTHROPIC_API_KEY']) refuse('--live needs ANTHROPIC_API_KEY in the environment');
else if (words.length === 0) refuse('--live needs a prompt');
else await demonstrate(await liveStage(words.join(' ')));

async function demonstrate(stage: Stage): Promise<void> {
  await using _ = stage;
  console.error(heading(`While it runs: ${stage.story}`));
  const memory = memorySink();
  const tracing = createTracing({ sinks: [consoleSink(), memory], capture: 'full' }); // ←
  await tracing.ready(); // ←
  const { query } = tracing.wrapSdk(sdk); // ←
  const answer = await lastWords(query({ prompt: stage.prompt, options: stage.options }));
  await tracing.close(); // ←

  console.log(`${heading('The answer')}${answer}`);
  console.log(`${heading('The trace')}${renderTree(memory.spans, { color: isColored }).trimEnd()}`);
  console.log(`${heading('What traced it (examples/demo/main.ts)')}${marked(import.meta.filename)}`);
}

async function lastWords(messages: AsyncIterable<sdk.SDKMessage>): Promise<string> {
  let last = '(none)';
  try {
    for await (const message of messages) {
      if (message.type === 'result') last = 'result' in message ? message.result : message.subtype;
    }
  } catch (error) {
    process.exitCode = 1;
    last += `\n${String(error)}`;
  }
  return last;
}

function marked(file: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line) => (line.endsWith('; // ←') ? [line.slice(0, -' // ←'.length)] : [])).join('\n');
}

function refuse(problem: string): void {
  process.exitCode = 1;
  console.error(`${problem}\n\n  npm run demo                          without a key: the API is scripted`);
  console.error('  npm run demo -- --live "your prompt"  with ANTHROPIC_API_KEY: the real API');
}
