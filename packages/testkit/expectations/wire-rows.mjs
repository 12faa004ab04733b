// Holds the `wire` column of a table against the requests of its recording: every answered call is a row with its own figures, and
// the attempts of all rows are all requests. Shares no code with the packages.

const sum = (list) => list.reduce((total, value) => total + value, 0);

/** `calls` and `callOfRow` as the other checks have them. */
export const checkWire = ({ table, recording, callOfRow, inclusiveUsage }, say) => {
  const { wire } = table.sources;
  if (typeof wire === 'string') return;
  const found = wire.llm.map((row) => [row, callOfRow(row, recording.calls)]);
  for (const [row, call] of found) {
    const id = `wire ${row.requestId}`;
    if (call === undefined) say(`${id}: no such call`);
    else if (row.requestId !== (call.requestId ?? null) && row.requestId !== null) say(`${id}: request id`);
    else if (
      call.answered &&
      JSON.stringify(row.usage) !== JSON.stringify(pick(inclusiveUsage(call.finalUsage), row.usage))
    )
      say(`${id}: usage`);
    if (row.costUsd !== null) say(`${id}: the wire has no prices`);
  }
  const inRows = new Set(found.map(([, call]) => call));
  for (const call of recording.calls) if (call.answered && !inRows.has(call)) say(`wire ${call.requestId}: no row`);
  const attempts = sum(wire.llm.map((row) => row.attempts));
  if (attempts !== recording.calls.length) say(`wire: ${attempts} attempts, ${recording.calls.length} requests`);
  if (![...wire.totals, ...wire.unattributed].every((entry) => entry === 'unknown')) say('wire: it has no totals');
};

const pick = (usage, like) => Object.fromEntries(Object.keys(like ?? {}).map((field) => [field, usage[field]]));
