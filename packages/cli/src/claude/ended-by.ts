import type { SessionEnd } from '@spanprism/core/sessions';
import type { Ending } from './child.ts';

/** How `claude` ends when it could clean up after a signal, as shells have it. */
const BY_CODE: Readonly<Record<number, SessionEnd>> = { 129: 'abort', 130: 'interrupt', 143: 'abort' };
/** What a process sends itself; any other signal is somebody's doing. */
const FAULTS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);
/** Asked by one of these, `claude` ends, whatever code it ends with. */
const STOPPING: ReadonlySet<NodeJS.Signals | undefined> = new Set(['SIGTERM', 'SIGHUP', 'SIGQUIT']);

/** What the end of `claude` means for what it was doing. */
export function endedBy({ code, signal, asked }: Ending): SessionEnd {
  if (signal !== null && FAULTS.has(signal)) return 'process-gone';
  if ((signal ?? asked) === 'SIGINT') return 'interrupt';
  if (signal !== null || STOPPING.has(asked)) return 'abort';
  return BY_CODE[code ?? 0] ?? 'process-gone';
}
