type Fields = Readonly<Record<string, unknown>>;

interface Answer {
  readonly requestId?: string;
  readonly messageId?: string;
  readonly stopReason?: string | null;
  readonly outputTokens?: number;
  readonly fields?: Fields;
}

/** Writes a session's file row by row, as Claude Code 2.1.329 does: each a second after the one before. */
export class SessionText {
  readonly sessionId: string;
  #always: Fields;
  #ms: number;
  #rows: string[] = [];
  #uuids = 0;

  constructor(sessionId: string, always: Fields = {}, startMs: number = Date.parse('2026-11-21T08:00:00Z')) {
    this.sessionId = sessionId;
    this.#always = always;
    this.#ms = startMs;
  }

  get text(): string {
    return this.#rows.map((row) => `${row}\n`).join('');
  }

  /** The uuid of the latest row. */
  get uuid(): string {
    return `${this.sessionId}-${this.#uuids}`;
  }

  prompt(text: string, fields: Fields = {}): this {
    return this.row('user', { message: { role: 'user', content: text }, promptSource: 'sdk', turnOrigin: 'sdk', ...fields });
  }

  say(text: string, answer: Answer = {}): this {
    return this.answer([{ type: 'text', text }], { stopReason: 'end_turn', ...answer });
  }

  ask(id: string, answer: Answer & { readonly name?: string; readonly input?: Fields } = {}): this {
    const { name = 'Bash', input = {}, ...rest } = answer;
    return this.answer([{ type: 'tool_use', id, name, input }], { stopReason: 'tool_use', ...rest });
  }

  answer(content: readonly Fields[], answer: Answer): this {
    const { messageId = `msg_${this.sessionId}_${this.#uuids}`, stopReason = null, outputTokens = 42, fields = {} } = answer;
    const usage = { input_tokens: 100, cache_read_input_tokens: 1_000, cache_creation_input_tokens: 10, output_tokens: outputTokens };
    const message = { id: messageId, role: 'assistant', model: 'claude-sonnet-4-5', content, stop_reason: stopReason, usage };
    return this.row('assistant', { message, requestId: answer.requestId ?? messageId.replace('msg_', 'req_'), ...fields });
  }

  result(toolUseId: string, content: unknown = 'done', fields: Fields = {}): this {
    const message = { role: 'user', content: [{ type: 'tool_result', tool_use_id: toolUseId, content }] };
    return this.row('user', { message, ...fields });
  }

  /** What the CLI answers itself. */
  command(name: string, output: string): this {
    const words = `<command-name>/${name}</command-name>\n<command-message>${name}</command-message>\n<command-args></command-args>`;
    const caveat = '<local-command-caveat>The command below was run directly in Claude Code.</local-command-caveat>';
    return this.row('user', { message: { role: 'user', content: caveat }, isMeta: true })
      .row('user', { message: { role: 'user', content: words } })
      .row('system', { subtype: 'local_command', content: `<local-command-stdout>${output}</local-command-stdout>` });
  }

  /** The last words of a process: sums since the session began. */
  exit(costUSD: number, tokens: { readonly input: number; readonly output: number } = { input: 0, output: 0 }): this {
    const model = { inputTokens: tokens.input, outputTokens: tokens.output, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
    const modelUsage = { 'claude-sonnet-4-5': { ...model, costUSD } };
    this.#rows.push(JSON.stringify({ type: 'cost-state', sessionId: this.sessionId, totalCostUSD: costUSD, modelUsage }));
    return this;
  }

  row(type: string, fields: Fields): this {
    this.#ms += 1_000;
    this.#uuids += 1;
    const own = { uuid: this.uuid, timestamp: new Date(this.#ms).toISOString(), sessionId: this.sessionId };
    return this.line(
      JSON.stringify({ type, ...own, cwd: '/srv/project', version: '2.1.329', gitBranch: 'main', ...this.#always, ...fields }),
    );
  }

  line(text: string): this {
    this.#rows.push(text);
    return this;
  }

  /** A copy as a fork has it: another session's id, and whose the answers were. */
  fork(sessionId: string): SessionText {
    const copy = new SessionText(sessionId, this.#always, this.#ms);
    for (const row of this.#rows) {
      const fields = JSON.parse(row) as Fields;
      if (fields['type'] === 'cost-state') continue;
      const copied = fields['type'] === 'assistant' ? { requestSessionId: this.sessionId } : {};
      copy.line(JSON.stringify({ ...fields, sessionId, ...copied }));
    }
    return copy;
  }
}
