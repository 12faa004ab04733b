import { mergeUsage, type Usage } from '../model/usage.ts';
import type { CallNode } from './nodes.ts';

/** What a call used: what the CLI measured goes before what the stream told. */
export function usageOf(node: CallNode): Usage | undefined {
  return mergeUsage(measuredUsage(node), streamedUsage(node));
}

export function measuredUsage({ cliSpan, cliLog }: CallNode): Usage | undefined {
  return mergeUsage(cliLog?.usage, cliSpan?.usage);
}

/** The figures of a stream's first event count only once there are final ones, which they complete. */
export function streamedUsage({ streamUsage, streamStartUsage }: CallNode): Usage | undefined {
  return streamUsage === undefined ? undefined : mergeUsage(streamUsage, streamStartUsage);
}
