import type { Totals, Usage } from '../model/usage.ts';
/** `1.2 s`, `340 ms`: three digits at most. */
export declare function duration(ms: number): string;
/** `1,234`. */
export declare function count(value: number): string;
/** `840 B`, `1.2 kB`, `10.0 MB`. */
export declare function bytes(value: number): string;
/** `$0.0123`. */
export declare function dollars(usd: number): string;
/** `5,500 in (4,000 cached) → 42 out`; empty when nothing is known. */
export declare function tokens(usage: Usage | undefined): string;
/** Tokens and cost of an interval. */
export declare function totalsText(totals: Totals | undefined): string;
