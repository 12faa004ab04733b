/** What a piece of a line means. */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad' | 'warning' | 'accent';
export type Segment = readonly [style: Style, text: string];
/** Where lines go. */
export interface Screen {
    readonly hasColor: boolean;
    /** Terminal cells per line, to which lines are cut; absent where nobody has to see them at once. */
    readonly columns?: number | undefined;
}
/** Any text as one harmless line: breaks and runs of blanks become one blank, what drives a terminal becomes U+FFFD. */
export declare function oneLine(text: string): string;
/** One line: harmless whatever the segments hold, cut to the screen, painted. Blanks at the ends of a segment are kept. */
export declare function formatLine(segments: readonly Segment[], { hasColor, columns }: Screen): string;
/** Terminal cells of a text: two for East Asian wide characters and emoji, none for marks that combine. */
export declare function cellsOf(text: string): number;
