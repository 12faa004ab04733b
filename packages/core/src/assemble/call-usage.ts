import { mergeUsage, type Usage } from '../model/usage.ts';
import type { CallNode } from './nodes.ts';

/** What a call used: the wire goes before what the CLI measured, and that before what the stream told. */
export function usageOf(node: CallNode): Usage | undefined {
  const others = mergeUsage(measuredUsage(node), streamedUsage(node));
  return node.passed === undefined ? others : mergeUsage(node.passed.usage, others);
}

export function measuredUsage({ cliSpan, cliLog }: CallNode): Usage | undefined {
  return mergeUsage(cliLog?.usage, cliSpan?.usage);
}

/** The figures of a stream's first event count only once there are final ones, which they complete. */
export function streamedUsage({ streamUsage, streamStartUsage }: CallNode): Usage | undefined {
  return streamUsage === undefined ? undefined : mergeUsage(streamUsage, streamStartUsage);
}
