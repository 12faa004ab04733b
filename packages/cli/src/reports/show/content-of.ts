import type { CapturedSpan, LlmSpan, Span, SpanEvent } from '@spanprism/core';
import type { RenderTreeOptions, Segment } from '@spanprism/core/terminal';
import { contentText, textLines } from '../content-lines.ts';
import { inputText, messagesText, notCaptured, thinkingText } from '../span-content.ts';
import type { Reasoning } from './reasoning.ts';

/** A piece of content and what it is. */
type Piece = readonly [label: string, text: string];

const LABEL_CELLS = 10;
/** Lines of a shortened piece: of what failed, and of prompts and answers around it. */
const LINES = 6;
const FEW_LINES = 2;

type Below = NonNullable<RenderTreeOptions['below']>;

export interface ContentOptions {
  readonly reasons: ReadonlyMap<string, Reasoning>;
  readonly isFull: boolean;
}

/** What to show below a span: everything in full, or what it takes to see why it failed. */
export function contentOf({ reasons, isFull }: ContentOptions): Below {
  return (span, cells) => {
    const captured = span as CapturedSpan;
    const pieces = isFull ? allPieces(captured) : failurePieces(captured, reasons.get(span.spanId));
    const lines = span.kind === 'agent' ? FEW_LINES : LINES;
    return pieces.flatMap(([label, text]) =>
      textLines(text, { cells: cells - LABEL_CELLS, ...(isFull ? {} : { lines }) }).map(
        (line, index): readonly Segment[] => [
          ['dim', (index === 0 ? label : '').padEnd(LABEL_CELLS)],
          [label === 'error' ? 'bad' : label === 'thinking' ? 'dim' : 'plain', line],
        ],
      ),
    );
  };
}

function failurePieces(span: CapturedSpan, reasoning: Reasoning | undefined): readonly Piece[] {
  if (span.kind === 'agent') return filled([...agentPieces(span), ['error', errorText(span)]]);
  if (span.status !== 'error') return [];
  if (span.kind === 'llm') return filled([...eventPieces(span), ['error', errorText(span)]]);
  if (span.kind !== 'tool') return filled([['error', errorText(span)]]);
  return filled([
    ['thinking', reasoning?.thinking ?? ''],
    ['said', reasoning?.text || notCaptured(reasoning?.uncapturedBytes)],
    ...toolPieces(span),
  ]);
}

function allPieces(span: CapturedSpan): readonly Piece[] {
  switch (span.kind) {
    case 'agent':
      return filled([...agentPieces(span), ...eventPieces(span), ['error', errorText(span)], ...issuePieces(span)]);
    case 'llm':
      return filled([...callPieces(span), ...eventPieces(span), ['error', errorText(span)], ...issuePieces(span)]);
    case 'tool':
      return filled([...toolPieces(span), ...eventPieces(span), ...issuePieces(span)]);
    case 'permission':
    case 'hook':
    case 'custom':
      return filled([['error', errorText(span)], ...issuePieces(span)]);
  }
}

function filled(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.filter(([, text]) => text.trim() !== '');
}

function agentPieces(span: CapturedSpan & { readonly kind: 'agent' }): readonly Piece[] {
  const { contentBytes } = span;
  return [
    ['prompt', inputText(span) || notCaptured(contentBytes.input) || wakingOf(span)],
    ['answer', messagesText(span.output) || notCaptured(contentBytes.output)],
  ];
}

function wakingOf({ trigger }: CapturedSpan & { readonly kind: 'agent' }): string {
  return trigger === 'task_notification' ? '(a background task ended)' : '';
}

function callPieces(span: CapturedSpan<LlmSpan>): readonly Piece[] {
  const { output, contentBytes } = span;
  return [
    ['thinking', thinkingText(output)],
    ['said', output === undefined ? notCaptured(contentBytes.output) : messagesText(output)],
  ];
}

/** What a failed tool gives back is its error, as a rule: once is enough. */
function toolPieces(span: CapturedSpan & { readonly kind: 'tool' }): readonly Piece[] {
  const { input, output, contentBytes } = span;
  const error = errorText(span);
  const given = output === undefined ? notCaptured(contentBytes.output) : contentText(output);
  return [
    ['input', input === undefined ? notCaptured(contentBytes.input) : contentText(input)],
    ['output', given.trim() === error.trim() ? '' : given],
    ['error', error],
  ];
}

/** The words; the type alone stands in the line of the span. */
function errorText({ error }: Span): string {
  return error === undefined || error.message === error.type ? '' : error.message;
}

function eventPieces({ events }: Span): readonly Piece[] {
  return events.map((event): Piece => ['event', eventText(event)]);
}

function eventText({ name, attributes, content }: SpanEvent): string {
  const facts = Object.entries(attributes).map(([key, value]) => `${key} ${value}`);
  return [name.replaceAll('_', ' '), ...facts, ...(content === undefined ? [] : [content])].join(' · ');
}

function issuePieces({ issues }: Span): readonly Piece[] {
  return issues.map(({ code, message }): Piece => ['note', `${code}: ${message}`]);
}
