/** A line on a terminal that says how far it is; nothing elsewhere. */
export interface Progress {
  /** So many bytes more were read. */
  read(bytes: number): void;
  /** A session is done. */
  session(): void;
  /** Takes the line away. */
  end(): void;
}

const WIDTH = 24;
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

export interface ProgressParts {
  readonly stream: NodeJS.WritableStream;
  readonly bytes: number;
  readonly sessions: number;
}

export function progressOn({ stream, bytes, sessions }: ProgressParts): Progress {
  if (!('isTTY' in stream) || stream.isTTY !== true) return { read: noop, session: noop, end: noop };
  let readBytes = 0;
  let done = 0;
  let shown = '';
  const show = (): void => {
    const share = bytes === 0 ? 1 : Math.min(1, readBytes / bytes);
    const bar = '█'.repeat(Math.floor(share * WIDTH)).padEnd(WIDTH, '░');
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const line = `${bar}${percent}  ${sizeText(readBytes)} of ${sizeText(bytes)}  ${done} of ${sessions} sessions`;
    if (line === shown) return;
    shown = line;
    stream.write(`\r\u001B[2K${line}`);
  };
  return {
    read: (more) => {
      const before = Math.floor((readBytes / bytes) * 200);
      readBytes += more;
      if (Math.floor((readBytes / bytes) * 200) !== before) show();
    },
    session: () => {
      done += 1;
      show();
    },
    end: () => {
      if (shown !== '') stream.write('\r\u001B[2K');
    },
  };
}

export function sizeText(bytes: number): string {
  const exponent = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** exponent;
  return `${exponent === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[exponent] ?? ''}`;
}

function noop(): void {}
