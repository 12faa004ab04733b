import { bytes, dollars, tokens } from './figures.js';
import { oneLine } from './terminal.js';
/** Facts in a row; those that are empty are left out. */
export function joined(...facts) {
    return facts.filter((fact) => fact !== undefined && fact !== '').join(' · ');
}
const MARKS = {
    ok: ['good', '✓ '],
    error: ['bad', '✗ '],
    cancelled: ['warning', '○ '],
};
/** How a span ended, as a sign. */
export function markOf({ status }) {
    return MARKS[status];
}
/** What a span is called, as one harmless line. */
export function nameOf(span) {
    switch (span.kind) {
        case 'agent':
            return oneLine(span.agentName || 'main');
        case 'llm':
            return oneLine(joinWords(span.purpose === 'turn' ? '' : span.purpose, span.responseModel ?? span.requestModel));
        case 'tool':
            return oneLine(span.toolName);
        case 'permission':
            return oneLine(`permission ${span.toolName}`);
        case 'hook':
            return oneLine(`hook ${span.hookName}`);
        case 'custom':
            return oneLine(span.name);
    }
}
function joinWords(...words) {
    return words.filter((word) => word !== '').join(' ');
}
export const NAME_STYLES = {
    agent: 'bold',
    llm: 'accent',
    tool: 'plain',
    permission: 'warning',
    hook: 'dim',
    custom: 'bold',
};
/** Tokens, cost and attempts of a call. */
export function callFigures(span) {
    return joined(tokens(span.usage), span.costUsd === undefined ? '' : dollars(span.costUsd), span.attempts > 1 ? `${span.attempts} attempts` : '');
}
/** Why a span failed: its code, and its words where they were captured. */
export function failureOf(span) {
    if (span.kind === 'tool' && span.denied !== undefined)
        return `denied by ${span.denied.decidedBy}`;
    return span.error === undefined ? '' : errorText(span.error);
}
function errorText({ type, message }) {
    return oneLine(message === type || message === '' ? type : `${type}: ${message}`);
}
/** The first words of messages; without captured ones, how many bytes they had. */
export function wordsOf(messages, size) {
    for (const { content } of messages ?? []) {
        for (const block of content)
            if (block.type === 'text')
                return oneLine(block.text);
    }
    return size === undefined || size === 0 ? '' : `(${bytes(size)})`;
}
/** The arguments that tell most of a tool call. */
const TELLING = ['command', 'file_path', 'pattern', 'url', 'query', 'description', 'prompt'];
/** A tool's captured input in a few words. */
export function preview(input) {
    if (typeof input !== 'object' || input === null)
        return '';
    const name = TELLING.find((candidate) => candidate in input) ?? Object.keys(input)[0] ?? '';
    const value = Reflect.get(input, name);
    return typeof value === 'string' || typeof value === 'number' ? oneLine(String(value)) : '';
}
