import { given } from '../model/given.js';
import { ConsoleView } from './console-view.js';
/** A live view: one line for each prompt, call, tool, wait and end, with tokens and cost. Lines are cut to the terminal's width. */
export function consoleSink(options = {}) {
    const { name = 'console', stream = process.stderr, environment = process.env, capture } = options;
    const { color: hasColor = stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb' } = options;
    const view = new ConsoleView((line) => stream.write(`${line}\n`), () => ({ hasColor, columns: stream.columns }));
    return {
        name,
        ...given('capture', capture),
        spanStart: (span) => {
            view.started(span);
            return undefined;
        },
        spanEnd: (span) => view.ended(span),
        turnEnd: (rootSpanId) => view.turnEnded(rootSpanId),
        flush: async () => undefined,
        close: async () => undefined,
    };
}
