import type { OtlpGroup, OtlpLog, OtlpRequest } from '../../../core/src/otlp/records.ts';
import type { Step } from './script.ts';

/** The finest batches in which the CLI could have exported the same: record by record. */
export function splitExports(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) =>
    step.what.type !== 'telemetry'
      ? [step]
      : split(step.what.request).map((request): Step => ({ ...step, what: { type: 'telemetry', request } })),
  );
}

function split(request: OtlpRequest): OtlpRequest[] {
  switch (request.signal) {
    case 'traces':
      return records(request.groups, () => true).map((groups) => ({ signal: 'traces', groups }));
    case 'logs':
      return records(request.groups, (log) => !isOfSameCall(log)).map((groups) => ({ signal: 'logs', groups }));
    case 'metrics':
      return [request];
  }
}

/** Logged in one breath with the `api_request` before them. */
function isOfSameCall({ attributes }: OtlpLog): boolean {
  return attributes['event.name'] === 'assistant_response' || attributes['event.name'] === 'api_response_body';
}

function records<R>(groups: readonly OtlpGroup<R>[], startsBatch: (record: R) => boolean): OtlpGroup<R>[][] {
  const batches: R[][] = [];
  const [first] = groups;
  for (const record of groups.flatMap((group) => group.records)) {
    const last = batches.at(-1);
    if (last === undefined || startsBatch(record)) batches.push([record]);
    else last.push(record);
  }
  return first === undefined ? [] : batches.map((batch) => [{ ...first, records: batch }]);
}
