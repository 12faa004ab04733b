import { join } from 'node:path';
import type { Owner } from './spool-owner.ts';

/** What the name of a segment file tells. */
export interface SegmentName {
  /** Milliseconds since the epoch; comes first, so that names sort by age. */
  readonly createdAt: number;
  /** Makes it unique. */
  readonly label: string;
  /** Absent = free for whoever comes. */
  readonly owner?: Owner;
}

/** The `1` is the version of the format. */
const PATTERN = /^(\d{13})-(\w+)\.(?:free|([A-Za-z0-9]+)-(\d+)-(\d+))\.spool1$/;

export function nameSegment({ createdAt, label, owner }: SegmentName): string {
  const whose = owner === undefined ? 'free' : `${owner.host}-${owner.pid}-${owner.start}`;
  return `${String(createdAt).padStart(13, '0')}-${label}.${whose}.spool1`;
}

export function parseSegmentName(file: string): SegmentName | undefined {
  const [isOurs, createdAt, label, host, pid, start] = PATTERN.exec(file) ?? [];
  if (isOurs === undefined || label === undefined) return undefined;
  const name = { createdAt: Number(createdAt), label };
  return host === undefined ? name : { ...name, owner: { host, pid: Number(pid), start: Number(start) } };
}

/** One folder per sink and endpoint: what was spelled, and allowed, for one backend must not reach another. */
export function spoolFolder(directory: string, name: string, url: URL): string {
  const mark = process.getBuiltinModule('node:zlib').crc32(url.origin + url.pathname);
  return join(directory, `${name.replace(/[^\w-]/g, '_').slice(0, 60)}-${mark.toString(16).padStart(8, '0')}`);
}
