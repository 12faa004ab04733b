import type { CapturedSpan, Sink, Usage } from '@spanprism/core';

/** What the line at the end says of a run. */
export interface RunTotals {
  /** In the order in which they ended something first; several where a session at a terminal was cleared or left for another. */
  readonly runIds: readonly string[];
  readonly spans: number;
  readonly inputTokens: number;
  /** Of them. */
  readonly cacheReadTokens: number;
  readonly outputTokens: number;
  /** Undefined when the price of nothing is known. */
  readonly costUsd?: number;
  readonly tools: number;
  readonly failedTools: number;
}

/** Adds up what it is shown. */
export class TotalsSink implements Sink {
  readonly name = 'run-totals';
  readonly capture = 'metadata';
  readonly #runIds: Set<string> = new Set();
  #spans = 0;
  #inputTokens = 0;
  #cacheReadTokens = 0;
  #outputTokens = 0;
  #costUsd: number | undefined;
  #tools = 0;
  #failedTools = 0;

  get totals(): RunTotals {
    return {
      runIds: [...this.#runIds],
      spans: this.#spans,
      inputTokens: this.#inputTokens,
      cacheReadTokens: this.#cacheReadTokens,
      outputTokens: this.#outputTokens,
      ...(this.#costUsd === undefined ? {} : { costUsd: this.#costUsd }),
      tools: this.#tools,
      failedTools: this.#failedTools,
    };
  }

  spanEnd(span: CapturedSpan): void {
    this.#spans += 1;
    const runId = span.sessionId ?? (span.parentSpanId === undefined ? span.traceId : undefined);
    if (runId !== undefined) this.#runIds.add(runId);
    switch (span.kind) {
      case 'llm':
        return this.#add(span.usage, span.costUsd);
      case 'agent':
        return this.#add(span.unattributed?.usage, span.unattributed?.costUsd);
      case 'tool':
        this.#tools += 1;
        if (span.status === 'error') this.#failedTools += 1;
        return;
      case 'permission':
      case 'hook':
      case 'custom':
    }
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  #add(usage: Usage | undefined, costUsd: number | undefined): void {
    this.#inputTokens += usage?.inputTokens ?? 0;
    this.#cacheReadTokens += usage?.cacheReadTokens ?? 0;
    this.#outputTokens += usage?.outputTokens ?? 0;
    if (costUsd !== undefined) this.#costUsd = (this.#costUsd ?? 0) + costUsd;
  }
}
