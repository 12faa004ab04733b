import type { Span } from '../model/span.ts';
import { msBetween } from '../model/time.ts';
import { dollars, duration, tokens, totalsText } from './figures.ts';
import { type SpanBranch, spanTrees } from './span-tree.ts';
import { fit, oneLine, type Palette, palette } from './terminal-text.ts';

export interface RenderTreeOptions {
  readonly color?: boolean;
  /** Show when each span began and how long it took. Default true. */
  readonly times?: boolean;
  /** Width of the terminal; lines are not cut without it. */
  readonly columns?: number;
}

interface Look {
  readonly paint: Palette;
  readonly times: boolean;
  readonly columns: number | undefined;
}

/** A finished trace for people: its tree with times, tokens, cost and what went wrong. */
export function renderTree(spans: readonly Span[], options: RenderTreeOptions = {}): string {
  const look = { paint: palette(options.color ?? false), times: options.times ?? true, columns: options.columns };
  return spanTrees(spans)
    .map((root) => renderRoot(root, look))
    .join('\n');
}

function renderRoot(root: SpanBranch, look: Look): string {
  const lines: string[] = [];
  const origin = root.span.startedAt;
  const write = (branch: SpanBranch, lead: string, tail: string): void => {
    lines.push(renderLine(branch.span, { look, lead, origin }));
    const { children } = branch;
    for (const [index, child] of children.entries()) {
      const isLast = index === children.length - 1;
      write(child, `${tail}${isLast ? '└─ ' : '├─ '}`, `${tail}${isLast ? '   ' : '│  '}`);
    }
  };
  write(root, '', '');
  return `${lines.join('\n')}\n`;
}

interface LinePlace {
  readonly look: Look;
  readonly lead: string;
  readonly origin: bigint;
}

const TIMES_WIDTH = 20;

function renderLine(span: Span, { look, lead, origin }: LinePlace): string {
  const { paint } = look;
  const times = look.times ? timesOf(span, origin).padStart(TIMES_WIDTH) : '';
  const { label, facts } = describe(span);
  const room = look.columns === undefined ? undefined : look.columns - times.length - 2;
  const plain = fit(`${lead}${mark(span)} ${label}${facts === '' ? '' : `  ${facts}`}`, room);
  const text = `${plain.slice(0, lead.length)}${colored(span, plain.slice(lead.length), paint)}`;
  return look.times ? `${paint.dim(times)}  ${text}` : text;
}

function timesOf(span: Span, origin: bigint): string {
  const offset = `+${duration(msBetween(origin, span.startedAt))}`;
  const length = span.endedAt === undefined ? 'open' : duration(msBetween(span.startedAt, span.endedAt));
  return `${offset} ${length.padStart(8)}`;
}

const MARKS = { ok: '●', error: '✗', cancelled: '○' } as const satisfies Record<Span['status'], string>;

function mark(span: Span): string {
  return MARKS[span.status];
}

function colored(span: Span, text: string, paint: Palette): string {
  if (span.status === 'error') return paint.red(text);
  if (span.status === 'cancelled') return paint.yellow(text);
  if (span.kind === 'agent') return paint.bold(text);
  if (span.kind === 'llm') return paint.cyan(text);
  return text;
}

function describe(span: Span): { readonly label: string; readonly facts: string } {
  switch (span.kind) {
    case 'agent':
      return {
        label: `${span.agentName}${span.outcome === 'completed' ? '' : ` ${span.outcome}`}`,
        facts: join(
          totalsText(span.totals),
          span.unattributed && `unattributed ${totalsText(span.unattributed)}`,
          plural(span.llmCalls, 'call'),
          plural(span.toolCalls, 'tool'),
        ),
      };
    case 'llm':
      return {
        label: `${span.purpose === 'turn' ? '' : `${span.purpose} `}${span.responseModel ?? span.requestModel}`,
        facts: join(
          tokens(span.usage),
          span.costUsd === undefined ? '' : dollars(span.costUsd),
          span.attempts > 1 ? `${span.attempts} attempts` : '',
          span.error?.type,
        ),
      };
    case 'tool':
      return {
        label: span.toolName,
        facts: join(
          preview(span.input),
          span.inBackground ? 'in background' : '',
          span.denied && `denied by ${span.denied.decidedBy}`,
          span.error?.type,
        ),
      };
    case 'permission':
      return { label: `permission ${span.decision}`, facts: `by ${span.decidedBy}` };
    case 'hook':
      return { label: `hook ${span.hookName}`, facts: span.blocked ? 'blocked' : '' };
    case 'custom':
      return { label: span.name, facts: span.error?.type ?? '' };
  }
}

/** The one argument that tells most of a tool call, where it was captured. */
const TELLING = ['command', 'file_path', 'pattern', 'url', 'query', 'description', 'prompt'] as const;

/** A captured input in a few words. */
export function preview(input: unknown): string {
  if (typeof input !== 'object' || input === null) return '';
  const name = TELLING.find((candidate) => candidate in input);
  const value: unknown = name === undefined ? undefined : Reflect.get(input, name);
  return typeof value === 'string' ? oneLine(value) : '';
}

function plural(value: number, noun: string): string {
  return value === 0 ? '' : `${value} ${noun}${value === 1 ? '' : 's'}`;
}

function join(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' · ');
}
