// What many runs of the real CLI export: recorded requests, with ids of their own for each run.
import { decodeOtlp } from '../../packages/core/src/otlp/decode/decode-otlp.ts';
import { encodeLogs, encodeTraces } from '../../packages/core/src/otlp/encode/protobuf.ts';
import { openRecording } from '../../packages/testkit/src/recordings/recording.ts';

const ENCODE = { traces: encodeTraces, logs: encodeLogs };
const RECORDINGS = ['foreground-subagent', 'failing-tools', 'mcp-tools'];

/** The requests of one run after another: `{ path, body, records }`, each run new. */
export function endlessRuns() {
  const templates = RECORDINGS.map(templateOf);
  let run = 0;
  return function next() {
    run += 1;
    return templates[run % templates.length].map((template) => stamped(template, run));
  };
}

/** Spans before logs, as the CLI flushes them. */
function templateOf(name) {
  const { telemetry } = openRecording(name);
  const text = JSON.stringify({ traces: payloadsOf(telemetry.traces), logs: payloadsOf(telemetry.logs) });
  const { renamed, ids } = withRoomForNumbers(text);
  const payloads = JSON.parse(renamed);
  return ['traces', 'logs'].flatMap((signal) =>
    payloads[signal].map((payload) => {
      const { groups } = decodeOtlp(signal, 'json', Buffer.from(JSON.stringify(payload)));
      const body = Buffer.from(ENCODE[signal](groups));
      const records = groups.reduce((sum, group) => sum + group.records.length, 0);
      return { path: `/v1/${signal}`, body, records, spots: [...textSpots(ids, body), ...byteSpots(groups, body)] };
    }),
  );
}

const payloadsOf = (batches) => batches.map(({ payload }) => payload);

const ID = /"key":"(?:session\.id|request_id|tool_use_id|agent_id|message\.uuid)","value":\{"stringValue":"([^"]+)"/g;

/** Every id that is a text ends in eight digits, on which the number of the run is written. */
function withRoomForNumbers(text) {
  const found = [...new Set([...text.matchAll(ID)].map(([, id]) => id))].toSorted(
    (left, right) => right.length - left.length,
  );
  const ids = found.map((id, index) => `${id.slice(0, 20)}-${index}-00000000`);
  let renamed = text;
  for (const [index, id] of found.entries()) renamed = renamed.replaceAll(id, ids[index]);
  return { renamed, ids };
}

function textSpots(ids, body) {
  return ids.flatMap((id) => placesOf(body, Buffer.from(id)).map((at) => ({ at: at + id.length - 8, isText: true })));
}

/** The first four bytes of ids that are bytes; what tells those of one run apart is in the others too. */
function byteSpots(groups, body) {
  const ids = new Set();
  for (const { records } of groups)
    for (const { traceId, spanId, parentSpanId } of records)
      for (const id of [traceId, spanId, parentSpanId]) if (id) ids.add(id);
  return [...ids].flatMap((id) => placesOf(body, Buffer.from(id, 'hex')).map((at) => ({ at, isText: false })));
}

function placesOf(body, part) {
  const places = [];
  for (let at = body.indexOf(part); at >= 0; at = body.indexOf(part, at + 1)) places.push(at);
  return places;
}

function stamped({ path, body, records, spots }, run) {
  const copy = Buffer.from(body);
  const digits = run.toString(16).padStart(8, '0');
  for (const { at, isText } of spots) {
    if (isText) copy.write(digits, at, 'latin1');
    else copy.writeUInt32BE(run, at);
  }
  return { path, body: copy, records };
}
