// Peak memory and speed of `spanprism import` as the files grow, with the packages as built:
//   node bench/src/import-transcripts.mjs [megabytes …]      default: 50 and 200; 1000 for a gigabyte
// A project of half its bytes in one session and half in many, with subagents, large results and rows that say nothing.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, execPath } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const MAIN = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));
const SIZES_MB = [50, 200];
/** Left to itself, V8 lets garbage lie until its heap is a few hundred MB. What is held has to fit into this; a process that held on to more would die. */
const HEAP = ['--max-old-space-size=96', '--max-semi-space-size=8'];
/** Memory may grow with the sizes of caches, not with that of the files. */
const BUDGET_RATIO = 1.5;
const TURNS_PER_SMALL_SESSION = 40;
const RESULT = 'a line of what a tool printed, none of it of any interest\n'.repeat(60);
const LARGE_RESULT = RESULT.repeat(60);
const SILENT = JSON.stringify({ type: 'api-request-blob', message: { role: 'user', content: RESULT.repeat(6) } });

export async function run(sizes = SIZES_MB) {
  const rows = [];
  const peaks = [];
  for (const megabytes of sizes) {
    const { peakMb, seconds, spans, bytes } = measure(megabytes);
    peaks.push(peakMb);
    const name = `import of ${Math.round(bytes / 1e6)} MB, ${spans} spans`;
    rows.push({ name, metric: 'peak RSS', value: peakMb, unit: 'MB' });
    rows.push({ name, metric: 'rate', value: bytes / 1e6 / seconds, unit: 'MB/s' });
  }
  const value = peaks.at(-1) / peaks[0];
  const name = `peak RSS, ${sizes.at(-1)} MB / ${sizes[0]} MB`;
  return {
    title: 'Import of transcripts',
    rows,
    ratios: [{ name, value, budget: BUDGET_RATIO, holds: value <= BUDGET_RATIO }],
  };
}

function measure(megabytes) {
  const folder = mkdtempSync(join(tmpdir(), 'spanprism-import-'));
  try {
    const projects = join(folder, 'projects', '-srv-project');
    mkdirSync(projects, { recursive: true });
    const bytes = writeProject(projects, megabytes * 1e6);
    const peakFile = join(folder, 'peak');
    const atExit = join(folder, 'at-exit.mjs');
    const source = `import { writeFileSync } from 'node:fs'; process.on('exit', () => writeFileSync(${JSON.stringify(peakFile)}, String(process.resourceUsage().maxRSS)));`;
    closeSync(openSync(atExit, 'w'));
    writeSync(openSync(atExit, 'w'), source);
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(
      execPath,
      [...HEAP, '--import', pathToFileURL(atExit).href, MAIN, 'import', '--json', join(folder, 'projects')],
      { encoding: 'utf8', env: { PATH: '', HOME: folder, SPANPRISM_STORE: join(folder, 'store', 'spans.db') } },
    );
    const seconds = (performance.now() - start) / 1000;
    if (status !== 0) throw new Error(stderr);
    const report = JSON.parse(stdout);
    if (report.skippedLines !== 0) throw new Error(`${report.skippedLines} lines were skipped`);
    return { peakMb: Number(readFileSync(peakFile, 'utf8')) / 1024, seconds, spans: report.imported[0].spans, bytes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns the bytes written. */
function writeProject(folder, most) {
  let bytes = writeSession(folder, { most: most / 2, turns: Infinity });
  while (bytes < most) bytes += writeSession(folder, { most: most - bytes, turns: TURNS_PER_SMALL_SESSION });
  return bytes;
}

function writeSession(folder, { most, turns }) {
  const sessionId = randomUUID();
  const path = join(folder, `${sessionId}.jsonl`);
  const main = new Rows(path, sessionId);
  let bytes = 0;
  for (let turn = 0; turn < turns && main.bytes + bytes < most; turn += 1) {
    main.user([{ type: 'text', text: `prompt ${turn}` }], { promptSource: 'sdk', turnOrigin: 'sdk' });
    for (let call = 0; call < 4; call += 1) {
      main.silent();
      const isAgent = turn % 25 === 0 && call === 0;
      const toolCallId = `toolu_${randomUUID()}`;
      main.answer(turn * 5 + call, [
        { type: 'tool_use', id: toolCallId, name: isAgent ? 'Agent' : 'Bash', input: { prompt: 'x' } },
      ]);
      const agentId = isAgent ? randomUUID().replaceAll('-', '').slice(0, 17) : undefined;
      if (agentId !== undefined)
        bytes += writeSubagent(join(folder, sessionId, 'subagents'), { main, agentId, toolCallId });
      const content = (turn + call) % 50 === 0 ? LARGE_RESULT : RESULT;
      main.user([{ type: 'tool_result', tool_use_id: toolCallId, content }], {
        ...(agentId === undefined ? {} : { toolUseResult: { agentId, agentType: 'general-purpose' } }),
      });
    }
    main.answer(turn * 5 + 4, [{ type: 'text', text: 'done' }]);
  }
  main.write({ type: 'cost-state', totalCostUSD: 1, modelUsage: {} });
  main.end();
  return main.bytes + bytes;
}

function writeSubagent(folder, { main, agentId, toolCallId }) {
  mkdirSync(folder, { recursive: true });
  const rows = new Rows(join(folder, `agent-${agentId}.jsonl`), main.sessionId, { agentId, isSidechain: true });
  rows.ms = main.ms;
  rows.user([{ type: 'text', text: 'x' }], {});
  for (let call = 0; call < 8; call += 1) {
    const id = `toolu_${randomUUID()}`;
    rows.answer(call, [{ type: 'tool_use', id, name: 'Read', input: {} }]);
    rows.user([{ type: 'tool_result', tool_use_id: id, content: RESULT }], {});
  }
  rows.answer(9, [{ type: 'text', text: 'report' }]);
  rows.end();
  main.ms = rows.ms;
  const meta = openSync(join(folder, `agent-${agentId}.meta.json`), 'w');
  writeSync(meta, JSON.stringify({ agentType: 'general-purpose', toolUseId: toolCallId }));
  closeSync(meta);
  return rows.bytes;
}

class Rows {
  bytes = 0;
  ms = Date.parse('2026-11-01T00:00:00Z');
  #text = '';

  constructor(path, sessionId, always = {}) {
    this.path = path;
    this.sessionId = sessionId;
    this.always = always;
    this.file = openSync(path, 'w');
  }

  user(content, more) {
    this.write({ type: 'user', message: { role: 'user', content }, ...more });
  }

  /** A block of text first: the figures of a call stand on each of its rows. */
  answer(number, blocks) {
    const isLast = blocks.every(({ type }) => type === 'text');
    const [id, requestId] = [`msg_${randomUUID()}`, `req_${randomUUID()}`];
    for (const block of [{ type: 'text', text: `thinking about ${number}` }, ...blocks]) {
      const usage = {
        input_tokens: 10,
        cache_read_input_tokens: 9_000,
        cache_creation_input_tokens: 300,
        output_tokens: 80,
      };
      const message = {
        id,
        model: 'claude-sonnet-4-5',
        content: [block],
        stop_reason: isLast ? 'end_turn' : 'tool_use',
        usage,
      };
      this.write({ type: 'assistant', requestId, message });
    }
  }

  silent() {
    this.#add(`${SILENT}\n`);
  }

  write(row) {
    this.ms += 20;
    const { sessionId, always } = this;
    const timestamp = new Date(this.ms).toISOString();
    this.#add(
      `${JSON.stringify({ ...row, ...always, uuid: randomUUID(), timestamp, sessionId, cwd: '/srv/project', version: '2.1.329' })}\n`,
    );
  }

  end() {
    writeSync(this.file, this.#text);
    closeSync(this.file);
    this.bytes = statSync(this.path).size;
    // Written to long ago: the session is over.
    utimesSync(this.path, 1, 1);
  }

  #add(text) {
    this.bytes += text.length;
    this.#text += text;
    if (this.#text.length < 1 << 20) return;
    writeSync(this.file, this.#text);
    this.#text = '';
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = argv.slice(2).map(Number);
  const { rows, ratios } = await run(sizes.length === 0 ? SIZES_MB : sizes);
  for (const { name, metric, value, unit } of rows) console.log(`${name}: ${metric} ${value.toFixed(1)} ${unit}`);
  for (const { name, value, budget, holds } of ratios)
    console.log(`${name}: ${value.toFixed(2)} (at most ${budget}: ${holds ? 'holds' : 'does not hold'})`);
}
