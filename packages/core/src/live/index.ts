export { Losses } from './losses.ts';
/** What a live sink on a vendor's tracer needs: when its spans begin, what hangs below what, and what became of them. */
export { LiveSpans, type LiveTracer } from './live-spans.ts';
export type { Begun } from './span-tree.ts';
