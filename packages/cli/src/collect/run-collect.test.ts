import { hostname, tmpdir } from 'node:os';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCommandLine } from '../run-command-line.ts';

/** No folder can be made below a file: a collect that is not refused before ends here instead of listening for ever. */
const NO_SPOOL = ['--spool', `${fileURLToPath(import.meta.url)}/spool`];

async function collect(args: readonly string[], env: Readonly<Record<string, string>>) {
  const said: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said.push(chunk.toString());
      done();
    },
  });
  const io = { stdout: stream, stderr: stream, cwd: tmpdir(), isTerminal: false, columns: 80, now: () => new Date() };
  return {
    exitCode: await runCommandLine(['collect', ...NO_SPOOL, ...args], { ...io, env: { HOME: tmpdir(), ...env } }),
    said: said.join(''),
  };
}

test.each([
  ['http://localhost:4318', []],
  ['http://127.0.0.1:4317', []],
  [`http://${hostname()}:4318/`, []],
  ['http://[::1]:14318', ['--port', '14318']],
])('what would be sent to where it is received is refused at once: %s %j', async (endpoint, args) => {
  const { exitCode, said } = await collect(args, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  expect(exitCode).toBe(2);
  expect(said).toMatch(
    /^spanprism: collect: what is received would be sent to \S+, where it is received; name the next place/,
  );
});
