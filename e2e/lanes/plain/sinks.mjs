// Every way there that is our own, by name; each finds its backend in its usual variables.
const SINKS = {
  otlp: async () => (await import('@spanprism/claude-otlp')).otlpSink,
  phoenix: async () => (await import('@spanprism/claude-otlp')).phoenix,
  logfire: async () => (await import('@spanprism/claude-logfire')).logfireSink,
  langfuse: async () => (await import('@spanprism/claude-langfuse')).langfuseSink,
};

/** `directory`: of its spool; without one it has none. */
export async function sinkNamed(name, directory) {
  const sink = await SINKS[name]();
  return sink(directory === undefined ? {} : { spool: { directory } });
}
