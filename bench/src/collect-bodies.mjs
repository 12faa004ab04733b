// What many runs of the real CLI export: recorded requests, with ids of their own for each run. Some runs in a row resume one session.
import { decodeOtlp } from '../../packages/core/src/otlp/decode/decode-otlp.ts';
import { encodeLogs, encodeTraces } from '../../packages/core/src/otlp/encode/protobuf.ts';
import { listRecordings, openRecording, ownRecordingsRoot } from '../../packages/testkit/src/recordings/recording.ts';

/** As of people who go on with what they have begun; a job in CI is a session of its own. */
const RUNS_PER_SESSION = 8;

const ENCODE = { traces: encodeTraces, logs: encodeLogs };

/** The requests of one run after another: `{ path, body, records }`, each run new. */
export function endlessRuns() {
  const templates = listRecordings(ownRecordingsRoot())
    .map(templateOf)
    .filter((requests) => requests.length > 0);
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
  const { renamed, ids, sessions } = withRoomForNumbers(text);
  const payloads = JSON.parse(renamed);
  return ['traces', 'logs'].flatMap((signal) =>
    payloads[signal].map((payload) => {
      const { groups } = decodeOtlp(signal, 'json', Buffer.from(JSON.stringify(payload)));
      const body = Buffer.from(ENCODE[signal](groups));
      const records = groups.reduce((sum, group) => sum + group.records.length, 0);
      return {
        path: `/v1/${signal}`,
        body,
        records,
        spots: [...textSpots(ids, sessions, body), ...byteSpots(groups, body)],
      };
    }),
  );
}

const payloadsOf = (batches) => batches.map(({ payload }) => payload);

const ID = /"key":"(?:session\.id|request_id|tool_use_id|agent_id|message\.uuid)","value":\{"stringValue":"([^"]+)"/g;

const sessionsOf = (text) => new Set([...text.matchAll(SESSION)].map(([, id]) => id));
const SESSION = /"key":"session\.id","value":\{"stringValue":"([^"]+)"/g;

/** Every id that is a text ends in eight digits, on which the number of the run is written. */
function withRoomForNumbers(text) {
  const found = [...new Set([...text.matchAll(ID)].map(([, id]) => id))].toSorted(
    (left, right) => right.length - left.length,
  );
  const ids = found.map((id, index) =>
    sessionsOf(text).has(id) ? 'bench-session-00000000' : `${id.slice(0, 20)}-${index}-00000000`,
  );
  let renamed = text;
  for (const [index, id] of found.entries()) renamed = renamed.replaceAll(id, ids[index]);
  return { renamed, ids, sessions: new Set(['bench-session-00000000']) };
}

function textSpots(ids, sessions, body) {
  return ids.flatMap((id) =>
    placesOf(body, Buffer.from(id)).map((at) => ({
      at: at + id.length - 8,
      isText: true,
      isSession: sessions.has(id),
    })),
  );
}

/** The first four bytes of ids that are bytes; what tells those of one run apart is in the others too. */
function byteSpots(groups, body) {
  const ids = new Set();
  for (const { records } of groups)
    for (const { traceId, spanId, parentSpanId } of records)
      for (const id of [traceId, spanId, parentSpanId].filter(Boolean)) ids.add(id);
  return [...ids].flatMap((id) => placesOf(body, Buffer.from(id, 'hex')).map((at) => ({ at, isText: false })));
}

function placesOf(body, part) {
  const places = [];
  for (let at = body.indexOf(part); at >= 0; at = body.indexOf(part, at + 1)) places.push(at);
  return places;
}

function stamped({ path, body, records, spots }, run) {
  const copy = Buffer.from(body);
  const digits = digitsOf(run);
  const session = digitsOf(Math.floor(run / RUNS_PER_SESSION));
  for (const { at, isText, isSession } of spots) {
    if (isText) copy.write(isSession ? session : digits, at, 'latin1');
    else copy.writeUInt32BE(run, at);
  }
  return { path, body: copy, records };
}

const digitsOf = (number) => number.toString(16).padStart(8, '0');
