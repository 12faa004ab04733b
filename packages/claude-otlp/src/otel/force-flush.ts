import type { TracerProvider } from '@opentelemetry/api';

/** The API has no flush, every SDK's provider has; the global provider is a proxy that knows the real one. */
export async function forceFlush(provider: TracerProvider, deadlineMs: number): Promise<void> {
  const flush = flushOf(provider) ?? flushOf(delegateOf(provider));
  if (flush === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the tracer provider did not flush within ${deadlineMs} ms`)),
      deadlineMs,
    );
  });
  try {
    await Promise.race([flush().catch(refuse), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** OpenTelemetry's SDK rejects with a bare array, one reason per processor. */
function refuse(reason: unknown): never {
  if (reason instanceof Error) throw reason;
  const reasons: readonly unknown[] = Array.isArray(reason) ? reason : [reason];
  const texts = reasons.map((each) => (each instanceof Error ? each.message : String(each)));
  throw new Error(`the tracer provider could not flush: ${texts.join('; ')}`, { cause: reason });
}

function flushOf(provider: unknown): (() => Promise<unknown>) | undefined {
  if (typeof provider !== 'object' || provider === null || !('forceFlush' in provider)) return undefined;
  const { forceFlush: flush } = provider;
  return typeof flush === 'function' ? async () => flush.call(provider) as unknown : undefined;
}

function delegateOf(provider: object): unknown {
  if (!('getDelegate' in provider) || typeof provider.getDelegate !== 'function') return undefined;
  return provider.getDelegate() as unknown;
}
