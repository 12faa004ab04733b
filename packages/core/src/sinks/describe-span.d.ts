import type { Message } from '../model/message.ts';
import type { LlmSpan, Span } from '../model/span.ts';
import { type Segment, type Style } from './terminal.ts';
/** Facts in a row; those that are empty are left out. */
export declare function joined(...facts: readonly (string | undefined)[]): string;
/** How a span ended, as a sign. */
export declare function markOf({ status }: Span): Segment;
/** What a span is called, as one harmless line. */
export declare function nameOf(span: Span): string;
export declare const NAME_STYLES: Readonly<Record<Span['kind'], Style>>;
/** Tokens, cost and attempts of a call. */
export declare function callFigures(span: LlmSpan): string;
/** Why a span failed: its code, and its words where they were captured. */
export declare function failureOf(span: Span): string;
/** The first words of messages; without captured ones, how many bytes they had. */
export declare function wordsOf(messages: readonly Message[] | undefined, size: number | undefined): string;
/** A tool's captured input in a few words. */
export declare function preview(input: unknown): string;
