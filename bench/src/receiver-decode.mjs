import { readFileSync } from 'node:fs';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import protobuf from 'protobufjs';
import { decodeOtlp } from '../../packages/core/src/otlp/decode/decode-otlp.ts';
import { interleave } from './interleave.mjs';
import { SIZES, sampleSpans } from './otlp-samples.mjs';

const OURS = 'spanprism protobuf';
const OURS_JSON = 'spanprism json';
const THEIRS = 'protobufjs';

/** Export requests into objects: our decoder, which also builds attribute maps, hex ids and bigint times, against protobufjs, which does not. */
export async function run() {
  const request = protobufjsRequest();
  const rows = [];
  const ratios = [];
  for (const size of SIZES) {
    const { ended } = sampleSpans(size);
    const body = ProtobufTraceSerializer.serializeRequest(ended);
    const json = JsonTraceSerializer.serializeRequest(ended);
    const times = interleave({
      [THEIRS]: () => request.decode(body),
      [OURS]: () => decodeOtlp('traces', 'protobuf', body),
      [OURS_JSON]: () => decodeOtlp('traces', 'json', json),
    });
    for (const [name, nanos] of Object.entries(times)) {
      rows.push({ name, metric: size.label, value: nanos / size.spans / 1000, unit: 'µs/span' });
    }
    const value = times[OURS] / times[THEIRS];
    ratios.push({ name: `${OURS} / ${THEIRS}, ${size.label}`, value, budget: 1, holds: value <= 1 });
  }
  return { title: 'OTLP receiver: decoding', rows, ratios };
}

/** protobufjs generates the code of a decoder from the schema when it is first used. */
function protobufjsRequest() {
  const schema = new URL('../../packages/core/src/otlp/__fixtures__/otlp-proto.json', import.meta.url);
  return protobuf.Root.fromJSON(JSON.parse(readFileSync(schema, 'utf8'))).lookupType('ExportTraceServiceRequest');
}
