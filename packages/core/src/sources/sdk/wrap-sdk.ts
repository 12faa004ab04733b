import { type Fields, fieldsOf, stringIn } from './guards.ts';
import type { BeginWatch, Guard, QueryWatch } from './query-watch.ts';
import { standIn, withAdditions } from './stand-in.ts';
import { tapPrompts } from './tap-prompts.ts';
import { errorOf } from './watched-query.ts';
import { type QueryFunction, startWatched, wrapQueryFunction } from './wrap-query.ts';
import { isWrapped, markWrapped, WRAPPED } from './wrapped.ts';

/** A tool call that a handler of the host is about to answer. */
export interface HandledCall {
  readonly toolCallId: string;
  readonly toolName: string;
  /** The `instance` of the in-process server that the handler belongs to. */
  readonly server: unknown;
}

/** Runs a tool handler of the host inside the span of the call that it answers. */
export type RunHandler = <T>(call: HandledCall, run: () => T) => T;

export interface SdkWatcher {
  readonly begin: BeginWatch;
  readonly guard: Guard;
  readonly runHandler: RunHandler;
}

type Method = (...parameters: unknown[]) => unknown;

/**
 * A copy of the SDK's module namespace in which `query`, `startup`, `prewarm` and `createSdkMcpServer` are watched;
 * everything else is the SDK's own.
 */
export function wrapSdkNamespace<S extends object>(sdk: S, watcher: SdkWatcher): S {
  if (isWrapped(sdk)) return sdk;
  const wrappers: Readonly<Record<string, (member: Method) => unknown>> = {
    query: (query) => wrapQueryFunction(query as unknown as QueryFunction, watcher.begin, watcher.guard),
    startup: (startup) => wrapStart(startup, 'query', watcher),
    prewarm: (prewarm) => wrapStart(prewarm, 'claim', watcher),
    createSdkMcpServer: (create) => wrapCreateServer(create, watcher),
  };
  const additions: Record<PropertyKey, unknown> = { [WRAPPED]: true };
  for (const [name, wrap] of Object.entries(wrappers)) {
    const member: unknown = Reflect.get(sdk, name);
    if (typeof member === 'function' && !isWrapped(member)) additions[name] = wrap(member.bind(sdk) as Method);
  }
  // A namespace is asked again for everything else: its bindings are live.
  return standIn(sdk, (name) => (Object.hasOwn(additions, name) ? { value: additions[name] } : undefined));
}

/** `startup()` and `prewarm()` spawn the child: its environment is settled there, its first turn begins with `query()` or `claim()`. */
function wrapStart(start: Method, claim: 'query' | 'claim', { begin, guard }: SdkWatcher): Method {
  return markWrapped(async (...parameters: unknown[]): Promise<unknown> => {
    const given = fieldsOf(parameters[0]);
    const watch = guard(`${claim} start`, () => begin(fieldsOf(given?.['options'])));
    if (watch === undefined) return start(...parameters);
    const options = guard(`${claim} start`, () => {
      watch.parked();
      return watch.options;
    });
    const watched = options === undefined ? given : withAdditions(given, { options });
    try {
      const warm = await start(watched, ...parameters.slice(1));
      return guard(`${claim} start`, () => wrapWarm(warm as object, claim, { watch, guard })) ?? warm;
    } catch (error) {
      guard(`${claim} start`, () => watch.ended('error', errorOf(error)));
      throw error;
    }
  });
}

function wrapWarm(
  warm: object,
  claim: 'query' | 'claim',
  { watch, guard }: { readonly watch: QueryWatch; readonly guard: Guard },
): object {
  let isClaimed = false;
  return standIn(warm, (name) => {
    const member: unknown = Reflect.get(warm, name, warm);
    if (typeof member !== 'function' || name === 'constructor') return undefined;
    return { value: watchedMember(name, member.bind(warm) as Method) };
  });

  function watchedMember(name: PropertyKey, method: Method): Method {
    if (name === claim) {
      return (...parameters: unknown[]) => {
        // A claim that throws leaves the spare to the next one, and a second one leaves the first alone: nothing is told before.
        const query = method(...withTappedPrompt(parameters, watch, guard));
        isClaimed = true;
        guard('claim', () => watch.claimed());
        const prompt = promptOf(parameters);
        if (typeof prompt === 'string') guard('prompt', () => watch.promptGiven(prompt));
        return startWatched(watch, guard, () => query);
      };
    }
    if (name !== 'close' && name !== Symbol.asyncDispose) return method;
    return (...parameters: unknown[]) => {
      // A spare that was never used is no query.
      if (!isClaimed) guard('close', () => watch.ended('close'));
      return method(...parameters);
    };
  }
}

/** `warm.query(prompt)` takes the prompt itself, `spare.claim({ prompt, options })` takes it among others. */
function claimOf([first]: readonly unknown[]): Fields | undefined {
  return typeof first === 'object' && first !== null && 'prompt' in first ? fieldsOf(first) : undefined;
}

function promptOf(parameters: readonly unknown[]): unknown {
  const claim = claimOf(parameters);
  return claim === undefined ? parameters[0] : claim['prompt'];
}

function withTappedPrompt(parameters: readonly unknown[], watch: QueryWatch, guard: Guard): unknown[] {
  const claim = claimOf(parameters);
  const tapped = tapPrompts(promptOf(parameters), watch, guard);
  return [claim === undefined ? tapped : withAdditions(claim, { prompt: tapped }), ...parameters.slice(1)];
}

/** Handlers of in-process tools run inside their tool span, so that their own spans nest there. */
function wrapCreateServer(create: Method, { guard, runHandler }: SdkWatcher): Method {
  return markWrapped((...parameters: unknown[]): unknown => {
    let created: unknown = undefined;
    const runCall: RunCall = (call, run) => runHandler({ ...call, server: fieldsOf(created)?.['instance'] }, run);
    const watched = guard('createSdkMcpServer', () => withWatchedTools(parameters, runCall));
    created = create(...(watched ?? parameters));
    return created;
  });
}

type RunCall = <T>(call: Omit<HandledCall, 'server'>, run: () => T) => T;

function withWatchedTools(parameters: readonly unknown[], runCall: RunCall): unknown[] {
  const given = fieldsOf(parameters[0]);
  if (given === undefined || !Array.isArray(given['tools'])) return [...parameters];
  const server = stringIn(given, 'name') ?? 'unknown';
  const tools = given['tools'].map((tool: unknown) => watchedTool(tool, server, runCall));
  return [withAdditions(given, { tools }), ...parameters.slice(1)];
}

function watchedTool(tool: unknown, server: string, runCall: RunCall): unknown {
  const definition = fieldsOf(tool);
  const handler = definition?.['handler'];
  if (definition === undefined || typeof handler !== 'function') return tool;
  const toolName = `mcp__${server}__${stringIn(definition, 'name') ?? 'unknown'}`;
  const watched = withAdditions(definition, {
    handler: function (this: unknown, ...handed: unknown[]): unknown {
      const run = (): unknown => Reflect.apply(handler, this === watched ? definition : this, handed);
      const toolCallId = stringIn(fieldsOf(fieldsOf(handed.at(-1))?.['_meta']), 'claudecode/toolUseId');
      return toolCallId === undefined ? run() : runCall({ toolCallId, toolName }, run);
    },
  });
  return watched;
}
