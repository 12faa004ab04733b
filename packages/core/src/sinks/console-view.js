import { msBetween } from '../model/time.js';
import { addUsage } from '../model/usage.js';
import { callFigures, failureOf, joined, markOf, NAME_STYLES, nameOf, preview, wordsOf } from './describe-span.js';
import { bytes, duration, totalsText } from './figures.js';
import { formatLine, oneLine } from './terminal.js';
/** A turn that never ends does not fill the memory: the oldest places go first. */
const MAX_PLACES = 10_000;
/** Turns starts and ends of spans into lines. */
export class ConsoleView {
    #write;
    #screen;
    #places = new Map();
    constructor(write, screen) {
        this.#write = write;
        this.#screen = screen;
    }
    started(span) {
        switch (span.kind) {
            case 'agent':
                this.#enter(span, ['accent', '▶ '], padded(wordsOf(span.input, span.contentBytes.input)));
                return;
            case 'tool':
                this.#enter(span, ['dim', '→ '], padded(preview(span.input)));
                return;
            case 'custom':
                this.#enter(span, ['accent', '▶ '], '');
                return;
            case 'llm':
            case 'permission':
            case 'hook':
                // These are told when they are over: one line each.
                return;
        }
    }
    ended(span) {
        const place = this.#places.get(span.spanId) ?? this.#placeOf(span);
        for (const event of span.events)
            this.#line(place, ['warning', '! '], ['plain', eventText(event)]);
        this.#count(span, place);
        if (span.kind === 'custom')
            this.#places.delete(span.spanId);
        if (span.kind === 'hook' && !span.blocked)
            return;
        const took = span.endedAt === undefined ? '' : duration(msBetween(span.startedAt, span.endedAt));
        const facts = factsOf(span, place);
        this.#line(place, span.kind === 'permission' ? ['warning', '? '] : markOf(span), [NAME_STYLES[span.kind], nameOf(span)], ['plain', span.kind === 'agent' ? ` ${span.outcome}` : ''], ['dim', padded(took)], ['plain', padded(facts)], ['bad', padded(failureOf(span))]);
    }
    /** Places live till then: a tool call that launched a subagent ends before it. */
    turnEnded(rootSpanId) {
        for (const [spanId, { root }] of this.#places)
            if (root === rootSpanId)
                this.#places.delete(spanId);
    }
    #enter(span, sign, words) {
        const place = this.#placeOf(span);
        this.#places.set(span.spanId, place);
        const [oldest] = this.#places.keys();
        if (this.#places.size > MAX_PLACES && oldest !== undefined)
            this.#places.delete(oldest);
        this.#line(place, sign, [NAME_STYLES[span.kind], nameOf(span)], ['dim', words]);
    }
    #placeOf(span) {
        const parent = span.parentSpanId === undefined ? undefined : this.#places.get(span.parentSpanId);
        const isRoot = parent === undefined || (span.kind === 'agent' && (span.role === 'main' || span.isSegment === true));
        const own = { depth: parent === undefined ? 0 : parent.depth + 1, root: isRoot ? span.spanId : parent.root };
        if (span.kind !== 'agent')
            return { ...parent, ...own };
        const tally = { usage: {}, costUsd: undefined, tools: new Map() };
        return span.role === 'subagent' ? { ...own, tally, subagent: nameOf(span) } : { ...own, tally };
    }
    #count(span, { tally }) {
        if (tally === undefined)
            return;
        if (span.kind === 'tool')
            tally.tools.set(nameOf(span), (tally.tools.get(nameOf(span)) ?? 0) + 1);
        if (span.kind === 'llm')
            add(tally, span.usage, span.costUsd);
        const above = span.parentSpanId === undefined ? undefined : this.#places.get(span.parentSpanId)?.tally;
        if (span.kind === 'agent' && above !== undefined)
            add(above, tally.usage, tally.costUsd);
    }
    #line({ depth, subagent }, ...segments) {
        // Lines of parallel subagents alternate, so each says whose it is.
        const whose = subagent === undefined ? '' : `[${subagent}] `;
        this.#write(formatLine([['plain', '  '.repeat(depth)], ['dim', whose], ...segments], this.#screen()));
    }
}
function add(tally, usage, costUsd) {
    tally.usage = addUsage(tally.usage, usage ?? {});
    if (costUsd !== undefined)
        tally.costUsd = (tally.costUsd ?? 0) + costUsd;
}
function factsOf(span, { tally }) {
    switch (span.kind) {
        case 'agent':
            return agentFacts(span, tally);
        case 'llm':
            return callFigures(span);
        case 'tool': {
            const { output } = span.contentBytes;
            return joined(span.inBackground ? 'in background' : '', output === undefined ? '' : bytes(output));
        }
        case 'permission':
            return `${span.decision} by ${span.decidedBy}`;
        case 'hook':
            return 'blocked';
        case 'custom':
            return '';
    }
}
/** A turn's totals are exact where the SDK told them; else, and for subagents, they are what their calls add up to. */
function agentFacts(span, tally) {
    const counted = tally && {
        usage: tally.usage,
        ...(tally.costUsd === undefined ? {} : { costUsd: tally.costUsd }),
    };
    const tools = [...(tally?.tools ?? [])].map(([name, times]) => (times === 1 ? name : `${name} ×${times}`));
    return joined(totalsText(span.totals ?? counted), span.unattributed && `unattributed ${totalsText(span.unattributed)}`, tools.length === 0 ? '' : `tools: ${tools.join(', ')}`);
}
/** What tells most of an event, in the order of telling. */
const TELLING = ['status_code', 'error', 'trigger', 'category', 'fallback_model'];
function eventText({ name, attributes, content = '' }) {
    const facts = TELLING.flatMap((key) => attributes[key] ?? []).map(String);
    return oneLine([name, ...facts, content].join(' '));
}
function padded(text) {
    return text === '' ? '' : ` ${text}`;
}
