import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';

const SOURCE = fileURLToPath(new URL('../tracing.ts', import.meta.url));

const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire('file:///');`;

/** What each program can use: a tracing whose sink says what becomes of it. */
const PRELUDE = `
import { writeSync } from 'node:fs';
const { createTracing } = spanprism;
const say = (word) => writeSync(1, word + '\\n');
const raise = () => process.kill(process.pid, 'SIGTERM');
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Whoever survives is found out.
const alive = setTimeout(() => { say('still alive'); process.exit(9); }, 8000);
function start(name, flush = async () => {}) {
  const sink = {
    name,
    spanEnd: (span) => say(name + ' ' + span.kind + ' ' + span.outcome),
    flush: async () => { await flush(); say(name + ' flushed'); },
    close: async () => {},
    persistSync: () => say(name + ' persisted'),
  };
  return createTracing({ sinks: [sink], cliTelemetry: 'off', diag: () => {} });
}
/** A query in the middle of a turn. */
async function midTurn(tracing) {
  const query = tracing.wrapQuery(() => (async function* () {
    yield { type: 'system', subtype: 'init', session_id: 's', uuid: 'u' };
    await new Promise(() => {});
  })())({ prompt: 'hi' });
  await query.next();
}
`;

let tracing = '';

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [SOURCE],
    bundle: true,
    write: false,
    // A scope of its own: programs name their things as they like.
    format: 'iife',
    globalName: 'spanprism',
    logLevel: 'error',
    platform: 'node',
    conditions: ['@spanprism/source'],
  });
  tracing = outputFiles[0]?.text ?? '';
});

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: readonly string[];
}

function run(program: string): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-'], {
      env: {},
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', (code, signal) => resolve({ code, signal, said: text.split('\n').filter(Boolean) }));
    child.stdin.end(`${REQUIRE}${tracing}${PRELUDE}${program}`);
  });
}

const killed = { code: null, signal: 'SIGTERM' };

describe.concurrent('SIGTERM', { timeout: 20_000 }, () => {
  test('ends a program where nobody else listens, after a last flush, with the signal that was sent', async () => {
    expect(await run(`const t = start('a'); await midTurn(t); raise();`)).toEqual({
      ...killed,
      said: ['a agent crashed', 'a flushed', 'a persisted'],
    });
  });

  test('ends a program with two tracings, after both have flushed', async () => {
    const { said, ...ending } = await run(
      `const t = start('a'); await midTurn(t); await midTurn(start('b')); raise();`,
    );
    expect(ending).toEqual(killed);
    expect(said.toSorted()).toEqual(
      ['a agent crashed', 'a flushed', 'a persisted', 'b agent crashed', 'b flushed', 'b persisted'].toSorted(),
    );
  });

  test('leaves the end to a once-listener that was there before', async () => {
    expect(
      await run(`
        process.once('SIGTERM', async () => { say('graceful'); await later(100); say('done'); process.exit(0); });
        await midTurn(start('a'));
        raise();`),
    ).toEqual({ code: 0, signal: null, said: ['a agent crashed', 'a persisted', 'graceful', 'done', 'a persisted'] });
  });

  test('leaves the end to a listener that came after', async () => {
    expect(
      await run(`
        start('a');
        process.on('SIGTERM', () => { say('mine'); process.exitCode = 3; clearTimeout(alive); });
        raise(); await later(20);`),
    ).toEqual({ code: 3, signal: null, said: expect.arrayContaining(['a persisted', 'mine']) as string[] });
  });

  test('ends a program with a listener that raises it again when it is alone', async () => {
    const { said, ...ending } = await run(`
      const mine = () => {
        if (process.listeners('SIGTERM').length > 1) return;
        process.off('SIGTERM', mine);
        raise();
      };
      process.on('SIGTERM', mine);
      await midTurn(start('a'));
      raise(); await later(100000);`);
    expect(ending).toEqual(killed);
    expect(said).toEqual(['a agent crashed', 'a persisted']);
  });

  test('sent twice flushes once', async () => {
    const { said, ...ending } = await run(`
      start('a', async () => { say('flushing'); await later(200); });
      raise(); await later(50); raise();
      await later(100000);`);
    expect(ending).toEqual(killed);
    expect(said).toEqual(['flushing', 'a flushed', 'a persisted']);
  });

  test('is left to Node when all tracings are closed', async () => {
    expect(
      await run(`
        const [a, b] = [start('a'), start('b')];
        await a.close(); await b.close();
        say(String(process.listenerCount('SIGTERM')));
        raise(); await later(100000);`),
    ).toEqual({ ...killed, said: ['0'] });
  });

  test('finds one listener, however many tracings', async () => {
    const { said } = await run(
      `start('a'); start('b'); say(String(process.listenerCount('SIGTERM'))); process.exit(0);`,
    );
    expect(said[0]).toBe('1');
  });
});

describe.concurrent('the end of a program', { timeout: 20_000 }, () => {
  test('by process.exit() writes down what is open', async () => {
    expect(await run(`await midTurn(start('a')); process.exit(3);`)).toEqual({
      code: 3,
      signal: null,
      said: ['a agent crashed', 'a persisted'],
    });
  });

  test('of an empty event loop flushes first', async () => {
    const { said, ...ending } = await run(`start('a', () => later(20)); clearTimeout(alive);`);
    expect(ending).toEqual({ code: 0, signal: null });
    expect(said).toEqual(['a flushed', 'a persisted']);
  });

  test('finds one listener of each event, however many tracings, and no warning of too many', async () => {
    const { said } = await run(`
      process.on('warning', ({ name }) => say(name));
      for (let n = 0; n < 12; n += 1) start('a' + n);
      await later(20);
      for (const event of ['beforeExit', 'exit']) say(event + ' ' + process.listenerCount(event));
      clearTimeout(alive);`);
    // Node itself listens to `exit` in some versions: what counts is that twelve tracings are no twelve listeners.
    expect(said.slice(0, 2)).toEqual(['beforeExit 1', expect.stringMatching(/^exit [1-3]$/)]);
    expect(said.slice(2, 14).every((line) => line.endsWith(' flushed'))).toBe(true);
    expect(said.slice(14).every((line) => line.endsWith(' persisted'))).toBe(true);
    expect(said).toHaveLength(26);
  });

  test('comes again when a program goes on from an empty event loop, and what is new is flushed too', async () => {
    const { said, ...ending } = await run(`
      const t = start('a', () => later(20));
      clearTimeout(alive);
      process.once('beforeExit', () => setTimeout(() => t.span('more', () => {}), 50));`);
    expect(ending).toEqual({ code: 0, signal: null });
    expect(said).toEqual(['a flushed', 'a custom undefined', 'a flushed', 'a persisted']);
  });

  test('is none of ours after close()', async () => {
    const { said } = await run(`const t = start('a'); await t.close(); clearTimeout(alive);`);
    expect(said).toEqual([]);
  });
});
