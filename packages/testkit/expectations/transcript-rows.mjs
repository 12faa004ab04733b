// Reads the session files of a recording into plain figures, and holds the `transcript` column of its table against them.
// Shares no code with the packages.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIGURES = {
  inputTokens: ({ inputTokens, cacheReadInputTokens, cacheCreationInputTokens }) =>
    inputTokens + cacheReadInputTokens + cacheCreationInputTokens,
  cacheReadTokens: ({ cacheReadInputTokens }) => cacheReadInputTokens,
  cacheWriteTokens: ({ cacheCreationInputTokens }) => cacheCreationInputTokens,
  cacheWrite5mTokens: ({ cacheCreationEphemeral5mInputTokens }) => cacheCreationEphemeral5mInputTokens,
  cacheWrite1hTokens: ({ cacheCreationEphemeral1hInputTokens }) => cacheCreationEphemeral1hInputTokens,
  outputTokens: ({ outputTokens }) => outputTokens,
  costUsd: ({ costUSD }) => costUSD,
};
const fields = Object.keys(FIGURES);
const sum = (list) => list.reduce((total, value) => total + value, 0);
const same = (left, right) => Math.abs((left ?? 0) - (right ?? 0)) <= 1e-9;

const rowsOf = (path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const filesIn = (folder, pattern) =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => pattern.test(name))
        .toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))
        .map((name) => rowsOf(join(folder, name)))
    : [];

/** The totals of each process that wrote into a session's file: its last words are sums since the session began. */
const processesOf = (rows) => {
  const sums = rows
    .filter(({ type }) => type === 'cost-state')
    .map(({ modelUsage }) =>
      Object.fromEntries(fields.map((field) => [field, sum(Object.values(modelUsage).map(FIGURES[field]))])),
    );
  const distinct = sums.filter(
    (one, index) => index === 0 || fields.some((field) => one[field] !== sums[index - 1][field]),
  );
  if (distinct.length === 0) return ['unknown'];
  // What the session that was copied from had used is in the sums too, and not known.
  const isFork = rows.some((row) => row.requestSessionId !== undefined);
  return distinct.map((one, index) => {
    if (index === 0) return isFork ? 'unknown' : one;
    return Object.fromEntries(fields.map((field) => [field, one[field] - distinct[index - 1][field]]));
  });
};

export const readTranscripts = (folder) => {
  const main = filesIn(folder, /^transcript(-\d+)?\.jsonl$/);
  const rows = [...main, ...filesIn(join(folder, 'transcript-extra'), /__agent-\w+\.jsonl$/)].flat();
  const answers = rows.filter(({ type }) => type === 'assistant');
  const isCall = (row) => row.message.model !== '<synthetic>' || (row.isApiErrorMessage && !row.refusedMessageId);
  return {
    isThere: main.length > 0,
    /** Behind a gateway that takes the ids of requests away, calls go by their messages. */
    callIds: new Set(answers.filter(isCall).map(({ requestId, message }) => requestId ?? message.id)),
    /** Calls of a model that was given up for another: they have no id. */
    fallbacks: rows.filter(({ subtype }) => subtype === 'model_fallback').length,
    retries: rows.filter(({ subtype, retryInMs }) => subtype === 'api_error' && retryInMs !== undefined).length,
    processes: main.flatMap(processesOf),
  };
};

export const checkTranscript = ({ table, folder }, say) => {
  const transcript = readTranscripts(folder);
  const { transcript: column } = table.sources;
  if (!transcript.isThere || typeof column !== 'object') {
    if (transcript.isThere || column !== 'not recorded') say('transcript: recorded or not?');
    return;
  }
  const named = column.llm.map(({ requestId, messageId }) => requestId ?? messageId).filter((id) => id !== null);
  const expected = [...transcript.callIds];
  if (named.toSorted().join() !== expected.toSorted().join()) say(`transcript: rows ${expected}`);
  if (column.llm.length - named.length !== transcript.fallbacks) say('transcript: calls without an id');
  if (sum(column.llm.map(({ attempts }) => attempts - 1)) !== transcript.retries) say('transcript: retries');
  if (column.llm.some(({ costUsd }) => costUsd !== null)) say('transcript: no call has a price there');
  if (column.totals.length !== transcript.processes.length) say(`transcript: ${transcript.processes.length} processes`);
  transcript.processes.forEach((totals, process) => {
    const rows = column.llm.filter(({ turn }) => table.turns[turn].query === process);
    const { [process]: said } = column.totals;
    const { [process]: rest } = column.unattributed;
    if (totals === 'unknown') {
      if (said !== 'unknown' || rest !== 'unknown') say(`transcript process ${process}: totals are unknown`);
      return;
    }
    for (const field of fields) {
      if (!same(said[field], totals[field])) say(`transcript process ${process}: total ${field}`);
      const known = sum(rows.map(({ usage }) => usage?.[field] ?? 0));
      if (!same(rest?.[field], totals[field] - known)) say(`transcript process ${process}: ${field} of the remainder`);
    }
  });
};
