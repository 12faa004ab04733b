import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { assembleTraces, encodeSpan, encodeTraces } from '../../packages/core/src/otlp/encode/protobuf.ts';
import { encodeTracesJson } from '../../packages/core/src/otlp/encode/json.ts';
import { interleave } from './interleave.mjs';
import { SIZES, sampleSpans } from './otlp-samples.mjs';

const BUDGETS = [1 / 4, 1 / 15];
const OURS = 'spanprism protobuf';
const OURS_SPANWISE = 'spanprism protobuf, span by span';
const OURS_JSON = 'spanprism json';
const THEIRS = 'otlp-transformer protobuf';
const THEIRS_JSON = 'otlp-transformer json';

/** Bodies of export requests from ended spans: our encoders against OpenTelemetry's. */
export async function run() {
  const rows = [];
  const ratios = [];
  SIZES.forEach((size, index) => {
    const { ended, groups } = sampleSpans(size);
    const [{ resource, scope, records }] = groups;
    const times = interleave({
      [THEIRS]: () => ProtobufTraceSerializer.serializeRequest(ended),
      [OURS]: () => encodeTraces(groups),
      [OURS_SPANWISE]: () => assembleTraces(resource, scope, records.map(encodeSpan)),
      [THEIRS_JSON]: () => JsonTraceSerializer.serializeRequest(ended),
      [OURS_JSON]: () => encodeTracesJson(groups),
    });
    for (const [name, nanos] of Object.entries(times)) {
      rows.push({ name, metric: size.label, value: nanos / size.spans / 1000, unit: 'µs/span' });
    }
    const value = times[OURS] / times[THEIRS];
    ratios.push({
      name: `${OURS} / ${THEIRS}, ${size.label}`,
      value,
      budget: BUDGETS[index],
      holds: value <= BUDGETS[index],
    });
  });
  return { title: 'OTLP encoding', rows, ratios };
}
