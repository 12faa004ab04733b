import { NUMBERS, OUTCOME, PRIVACY } from './content-checks.ts';
import { LIFECYCLE, PURITY } from './lifecycle-checks.ts';
import { ROBUSTNESS } from './robustness-checks.ts';
import { SHAPE, TIME } from './shape-checks.ts';
import { runSinkCheck, type SinkCase, type SinkCheck } from './sink-case.ts';

/** The part of a runner's `test` that suites need; Vitest's and node:test's both have it. */
export interface TestFunction {
  (name: string, run: () => Promise<void>): unknown;
  readonly skip: (name: string, run: () => Promise<void>) => unknown;
}

/** Everything that must hold of a sink. */
export const SINK_CHECKS: readonly SinkCheck[] = [
  ...SHAPE,
  ...TIME,
  ...NUMBERS,
  ...OUTCOME,
  ...PRIVACY,
  ...ROBUSTNESS,
  ...LIFECYCLE,
  ...PURITY,
];

/** Whether a case can what a check needs; undefined if so, else what it lacks. */
export function lacks<Sent>(check: SinkCheck, { can = [] }: SinkCase<Sent>): string | undefined {
  return check.needs?.find((capability) => !can.includes(capability));
}

/** Registers the conformance suite of sinks for one adapter with the runner's `test`; what the adapter cannot is skipped by name. */
export function testSink<Sent>(test: TestFunction, sinkCase: SinkCase<Sent>): void {
  for (const check of SINK_CHECKS) {
    const name = `${sinkCase.name}: ${check.group}: ${check.name}`;
    const missing = lacks(check, sinkCase);
    if (missing === undefined) test(name, () => runSinkCheck(check, sinkCase));
    else test.skip(`${name} (it has no ${missing})`, async () => undefined);
  }
}
