import { type UnixNano, unixNanoFromIso } from '../../model/time.ts';
import { type Fields, fieldsOf, stringOf } from '../sdk/guards.ts';
import type { Line } from './lines.ts';
import { isSilentLine, isSilentType } from './row-types.ts';

/** A record of a session file that may say something about what the agent did. */
export interface Row {
  readonly type: RowType;
  readonly fields: Fields;
  /** Of its own; absent where rows of this type have none. */
  readonly at: UnixNano | undefined;
  readonly uuid: string | undefined;
  readonly line: number;
}

const ROW_TYPES = ['user', 'assistant', 'system', 'attachment', 'api-request', 'cost-state'] as const;
export type RowType = (typeof ROW_TYPES)[number];

const READ: ReadonlySet<string> = new Set(ROW_TYPES);

/** Why a line was passed over. */
export type SkipReason =
  | 'not JSON'
  | 'cut off in the middle'
  | 'too long'
  | 'not a record'
  | 'without a time'
  | `of unknown type ${string}`;

export interface SkippedLine {
  readonly file: string;
  readonly line: number;
  readonly reason: SkipReason;
}

/** A row; `silent` for lines that say nothing; else why it cannot be read. Never throws. */
export function readRow(line: Line): Row | 'silent' | { readonly skipped: SkipReason } {
  const { bytes } = line;
  if (bytes === undefined) return { skipped: 'too long' };
  if (bytes.length === 0 || isSilentLine(bytes.toString('latin1', 0, 48)) || isBlank(bytes)) return 'silent';
  const parsed = parse(bytes.toString('utf8'));
  if (parsed === undefined) return { skipped: line.isCut ? 'cut off in the middle' : 'not JSON' };
  return rowOf(parsed.value, line.number);
}

/** A record that was parsed already. */
export function rowOf(value: unknown, line: number): Row | 'silent' | { readonly skipped: SkipReason } {
  const fields = fieldsOf(value);
  const type = stringOf(fields?.['type']);
  if (fields === undefined || type === undefined) return { skipped: 'not a record' };
  if (isSilentType(type)) return 'silent';
  if (!isRowType(type)) return { skipped: `of unknown type ${nameOf(type)}` };
  const time = stringOf(fields['timestamp']);
  const at = time === undefined ? undefined : unixNanoFromIso(time);
  if (at === undefined && type !== 'cost-state') return { skipped: 'without a time' };
  return { type, fields, at, uuid: stringOf(fields['uuid']), line };
}

function isRowType(type: string): type is RowType {
  return READ.has(type);
}

/** What stands in a report is a name, not whatever a damaged file holds. */
function nameOf(type: string): string {
  return /^[\w-]{1,40}$/.test(type) ? type : '(no name)';
}

function isBlank(bytes: Buffer): boolean {
  return bytes.length < 3 && bytes.toString('latin1').trim() === '';
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
