const SGR = {
    plain: '',
    bold: '1',
    dim: '2',
    good: '32',
    bad: '31',
    warning: '33',
    accent: '36',
};
/** More of a text is not looked at. UTF-16 units. */
const MAX_LENGTH = 400;
const ELLIPSIS = '…';
// Controls can drive a terminal, invisible formatting (the direction of text) can make a line read as something else. Emoji are
// joined by U+200D.
const UNSAFE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Surrogate}]/gu;
/** Any text as one harmless line: breaks and runs of blanks become one blank, what drives a terminal becomes U+FFFD. */
export function oneLine(text) {
    const line = text.slice(0, MAX_LENGTH).replace(/\s+/g, ' ').trim().replace(UNSAFE, '\ufffd');
    return text.length > MAX_LENGTH ? `${line}${ELLIPSIS}` : line;
}
/** One line: harmless whatever the segments hold, cut to the screen, painted. Blanks at the ends of a segment are kept. */
export function formatLine(segments, { hasColor, columns = Number.POSITIVE_INFINITY }) {
    const safe = segments.map(([style, text]) => [style, text.replace(UNSAFE, '\ufffd')]);
    const isCut = cellsOf(safe.map(([, text]) => text).join('')) > columns;
    let room = isCut ? Math.max(0, columns - 1) : columns;
    let line = '';
    for (const [style, text] of safe) {
        const kept = isCut ? cutToCells(text, room) : text;
        line += hasColor && style !== 'plain' && kept !== '' ? `\u001b[${SGR[style]}m${kept}\u001b[0m` : kept;
        room -= cellsOf(kept);
        if (kept.length < text.length)
            break;
    }
    return isCut ? `${line}${ELLIPSIS}` : line.trimEnd();
}
/** Terminal cells of a text: two for East Asian wide characters and emoji, none for marks that combine. */
export function cellsOf(text) {
    let cells = 0;
    for (const character of text)
        cells += cellsOfCharacter(character);
    return cells;
}
function cutToCells(text, cells) {
    let room = cells;
    let end = 0;
    for (const character of text) {
        room -= cellsOfCharacter(character);
        if (room < 0)
            break;
        end += character.length;
    }
    return text.slice(0, end);
}
const NO_CELL = /^(?:\p{Mn}|\p{Me}|\u200d)$/u;
/** What Unicode's East Asian Width calls wide or full width (UAX #11), in rough blocks. */
const TWO_CELLS = /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;
function cellsOfCharacter(character) {
    if ((character.codePointAt(0) ?? 0) < 0x300)
        return 1;
    if (NO_CELL.test(character))
        return 0;
    return TWO_CELLS.test(character) ? 2 : 1;
}
