import { stripVTControlCharacters } from 'node:util';
import type { CaptureOptions } from '../model/capture-options.ts';
import type { Message } from '../model/message.ts';
import type { CapturedSpan, Sink } from '../model/sink.ts';
import type { SpanEvent } from '../model/span.ts';
import { msBetween } from '../model/time.ts';
import { dollars, duration, tokens, totalsText } from './figures.ts';
import { preview } from './render-tree.ts';
import { fit, oneLine, type Palette, palette } from './terminal-text.ts';

/** Where lines are written: a terminal, a file, a test. */
export interface LineStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ConsoleSinkOptions {
  /** Default `console`. */
  readonly name?: string;
  /** Default stderr. */
  readonly stream?: LineStream;
  /** Default: on a terminal, unless `NO_COLOR` is set. */
  readonly color?: boolean;
  /** Default metadata, for stderr often ends up in a log: `full` shows prompts and arguments. */
  readonly capture?: CaptureOptions;
}

/** A live view: one line for each prompt, tool call, tool result, wait and end, with tokens and cost. */
export function consoleSink(options: ConsoleSinkOptions = {}): Sink {
  const stream = options.stream ?? process.stderr;
  const isColored = options.color ?? (stream.isTTY === true && !process.env['NO_COLOR']);
  const view = new ConsoleView(stream, palette(isColored));
  return {
    name: options.name ?? 'console',
    ...(options.capture === undefined ? {} : { capture: options.capture }),
    spanStart: (span) => {
      view.started(span);
      return undefined;
    },
    spanEnd: (span) => view.ended(span),
    flush: async () => undefined,
    close: async () => undefined,
  };
}

class ConsoleView {
  readonly #stream: LineStream;
  readonly #paint: Palette;
  readonly #depths: Map<string, number> = new Map();
  readonly #tools: Map<string, string[]> = new Map();

  constructor(stream: LineStream, paint: Palette) {
    this.#stream = stream;
    this.#paint = paint;
  }

  started(span: CapturedSpan): void {
    const depth = (span.parentSpanId === undefined ? -1 : (this.#depths.get(span.parentSpanId) ?? -1)) + 1;
    const { dim, bold, cyan } = this.#paint;
    switch (span.kind) {
      case 'agent': {
        this.#depths.set(span.spanId, depth);
        this.#tools.set(span.spanId, []);
        const said = words(span.input) ?? sized(span.contentBytes.input);
        this.#line(depth, `${cyan('▶')} ${bold(span.agentName)}${said === '' ? '' : ` ${dim(said)}`}`);
        return;
      }
      case 'tool':
        this.#depths.set(span.spanId, depth);
        if (span.parentSpanId !== undefined) this.#tools.get(span.parentSpanId)?.push(span.toolName);
        this.#line(depth, `${dim('→')} ${span.toolName} ${dim(preview(span.input))}`.trimEnd());
        return;
      case 'custom':
        this.#depths.set(span.spanId, depth);
        this.#line(depth, `${cyan('▶')} ${bold(span.name)}`);
        return;
      case 'llm':
      case 'permission':
      case 'hook':
        return;
    }
  }

  ended(span: CapturedSpan): void {
    const depth =
      this.#depths.get(span.spanId) ??
      (span.parentSpanId === undefined ? 0 : (this.#depths.get(span.parentSpanId) ?? -1) + 1);
    const took = this.#paint.dim(span.endedAt === undefined ? '' : duration(msBetween(span.startedAt, span.endedAt)));
    for (const event of span.events) this.#line(depth, this.#event(event));
    switch (span.kind) {
      case 'agent':
        this.#line(depth, this.#agentEnd(span, took));
        break;
      case 'tool':
        this.#line(
          depth,
          `${this.#mark(span)} ${span.toolName} ${took}${reason(span.denied ? `denied by ${span.denied.decidedBy}` : span.error?.type)}`,
        );
        break;
      case 'llm':
        this.#line(
          depth,
          `${this.#mark(span)} ${span.responseModel ?? span.requestModel} ${took} ${llmFigures(span)}${reason(span.error?.type)}`,
        );
        break;
      case 'permission':
        this.#line(
          depth,
          `${this.#paint.yellow('?')} ${span.toolName}: ${span.decision} by ${span.decidedBy} after ${took}`,
        );
        break;
      case 'custom':
        this.#line(depth, `${this.#mark(span)} ${span.name} ${took}${reason(span.error?.type)}`);
        break;
      case 'hook':
        if (span.blocked) this.#line(depth, `${this.#paint.yellow('!')} hook ${span.hookName} blocked`);
    }
    this.#depths.delete(span.spanId);
  }

  #agentEnd(span: CapturedSpan & { readonly kind: 'agent' }, took: string): string {
    const tools = counted(this.#tools.get(span.spanId) ?? []);
    this.#tools.delete(span.spanId);
    const facts = [totalsText(span.totals), tools].filter((part) => part !== '').join(' · ');
    return `${this.#mark(span)} ${this.#paint.bold(span.agentName)} ${span.outcome} ${took} ${facts}`.trimEnd();
  }

  #event(event: SpanEvent): string {
    const status = event.attributes['status_code'] ?? event.attributes['error'] ?? event.attributes['trigger'] ?? '';
    return `${this.#paint.yellow('!')} ${event.name} ${String(status)}`.trimEnd();
  }

  #mark(span: CapturedSpan): string {
    if (span.status === 'error') return this.#paint.red('✗');
    return span.status === 'cancelled' ? this.#paint.yellow('○') : this.#paint.green('✓');
  }

  #line(depth: number, text: string): void {
    const { columns } = this.#stream;
    // Colours take no room on the screen; a line with some is let pass a little long rather than cut within a code.
    this.#stream.write(
      `${fit(`${'  '.repeat(depth)}${text}`, columns === undefined ? undefined : columns + codeLength(text))}\n`,
    );
  }
}

function codeLength(text: string): number {
  return text.length - stripVTControlCharacters(text).length;
}

function llmFigures(span: CapturedSpan & { readonly kind: 'llm' }): string {
  const parts = [
    tokens(span.usage),
    span.costUsd === undefined ? '' : dollars(span.costUsd),
    span.attempts > 1 ? `${span.attempts} attempts` : '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function words(messages: readonly Message[] | undefined): string | undefined {
  for (const message of messages ?? [])
    for (const block of message.content) if (block.type === 'text') return oneLine(block.text);
  return undefined;
}

function sized(bytes: number | undefined): string {
  return bytes === undefined ? '' : `(prompt of ${bytes} bytes)`;
}

function counted(names: readonly string[]): string {
  const counts: Map<string, number> = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, times]) => (times === 1 ? name : `${name} ×${times}`)).join(', ');
}

function reason(text: string | undefined): string {
  return text === undefined ? '' : ` ${text}`;
}
