import { Writable } from 'node:stream';
import { runCommandLine } from '../../run-command-line.ts';

export interface Printed {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly store: string;
  /** Of a terminal; without it, stdout is a pipe. */
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command line as the process would, at a fixed time. */
export async function runReport(args: readonly string[], { store, columns, env }: Surroundings): Promise<Printed> {
  const [stdout, stderr] = [written(), written()];
  const exitCode = await runCommandLine(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { SPANPRISM_STORE: store, ...env },
    cwd: '/',
    isTerminal: columns !== undefined,
    columns: columns ?? 80,
    now: () => new Date('2026-11-22T00:00:00.000Z'),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

function written(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
