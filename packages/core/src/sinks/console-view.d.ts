import type { SpanId } from '../model/ids.ts';
import type { CapturedSpan } from '../model/sink.ts';
import { type Screen } from './terminal.ts';
/** Turns starts and ends of spans into lines. */
export declare class ConsoleView {
    #private;
    constructor(write: (line: string) => void, screen: () => Screen);
    started(span: CapturedSpan): void;
    ended(span: CapturedSpan): void;
    /** Places live till then: a tool call that launched a subagent ends before it. */
    turnEnded(rootSpanId: SpanId): void;
}
