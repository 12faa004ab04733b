import type { CapturedSpan, Sink } from '@spanprism/core';

/** What the line at the end says of a run. */
export interface RunTotals {
  readonly runId?: string;
  readonly spans: number;
  readonly inputTokens: number;
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
  #runId: string | undefined;
  #spans = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #costUsd: number | undefined;
  #tools = 0;
  #failedTools = 0;

  get totals(): RunTotals {
    return {
      ...(this.#runId === undefined ? {} : { runId: this.#runId }),
      spans: this.#spans,
      inputTokens: this.#inputTokens,
      outputTokens: this.#outputTokens,
      ...(this.#costUsd === undefined ? {} : { costUsd: this.#costUsd }),
      tools: this.#tools,
      failedTools: this.#failedTools,
    };
  }

  spanEnd(span: CapturedSpan): void {
    this.#spans += 1;
    this.#runId ??= span.sessionId ?? (span.parentSpanId === undefined ? span.traceId : undefined);
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

  #add(
    usage: { readonly inputTokens?: number; readonly outputTokens?: number } | undefined,
    costUsd: number | undefined,
  ): void {
    this.#inputTokens += usage?.inputTokens ?? 0;
    this.#outputTokens += usage?.outputTokens ?? 0;
    if (costUsd !== undefined) this.#costUsd = (this.#costUsd ?? 0) + costUsd;
  }
}
