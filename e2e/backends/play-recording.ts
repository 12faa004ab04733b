import { createTracing, type Sink } from '@spanprism/core';
import { hostOf, mockSdk, openRecording, recordedScenarios } from '@spanprism/testkit';

/** Plays a recorded run at its own pace through everything: wrapper, loopback thread, assembler, capture and these sinks. */
export async function playRecording(name: string, sinks: readonly Sink[]): Promise<void> {
  const tracing = createTracing({ sinks, agentName: 'main', capture: 'full', diag: () => undefined });
  await tracing.ready();
  const recording = openRecording(name);
  const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
  await hostOf(recording, tracing.wrapSdk(sdk), { options: { env: {} }, timeScale: 1 });
  await Promise.all(sdk.calls.map(({ exited }) => exited));
  await tracing.close();
}
