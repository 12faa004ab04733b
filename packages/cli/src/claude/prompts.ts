import type { OtlpRequest } from '@spanprism/core/sessions';

type Logs = Extract<OtlpRequest, { readonly signal: 'logs' }>;
type Log = Logs['groups'][number]['records'][number];

/** What telemetry says of a prompt that the user's session file has too. */
export interface Prompt {
  readonly sessionId: string;
  readonly messageId: string;
  /** Whether its words are there: where nobody asked for them, the CLI says `<REDACTED>`. */
  readonly hasText: boolean;
}

const WORK: ReadonlySet<unknown> = new Set(['api_request', 'api_error', 'tool_result', 'llm_request', 'tool']);

/** It becomes part of a path. */
function isSessionId(id: unknown): id is string {
  return typeof id === 'string' && /^[\w-]+$/.test(id);
}

/** The session of a prompt, a call or a tool. What the CLI answers itself, such as `/exit`, it tells of as a prompt with the name of a command. */
export function workingSession(request: OtlpRequest): string | undefined {
  if (request.signal === 'metrics') return undefined;
  for (const { records } of request.groups) {
    for (const record of records) {
      const { command_name: command, 'session.id': id } = record.attributes;
      const name = 'name' in record ? record.name.replace('claude_code.', '') : nameOf(record);
      const isWork = WORK.has(name) || (name === 'user_prompt' && command === undefined);
      if (isWork && isSessionId(id)) return id;
    }
  }
  return undefined;
}

/** The prompts of a request, and all else. */
export function splitAtPrompts(request: OtlpRequest): { readonly prompts?: Logs; readonly others?: OtlpRequest } {
  if (request.signal !== 'logs') return { others: request };
  const [prompts, others] = [only(request, isPrompt), only(request, (log) => !isPrompt(log))];
  return { ...(prompts && { prompts }), ...(others && { others }) };
}

export function promptsOf({ groups }: Logs): readonly Prompt[] {
  return groups.flatMap(({ records }) =>
    records.flatMap(({ attributes }) => {
      const { 'session.id': sessionId, 'message.uuid': messageId, prompt } = attributes;
      if (!isSessionId(sessionId) || typeof messageId !== 'string') return [];
      return [{ sessionId, messageId, hasText: typeof prompt === 'string' && prompt !== '<REDACTED>' }];
    }),
  );
}

function only(request: Logs, wanted: (log: Log) => boolean): Logs | undefined {
  const groups = request.groups
    .map((group) => ({ ...group, records: group.records.filter(wanted) }))
    .filter(({ records }) => records.length > 0);
  return groups.length === 0 ? undefined : { ...request, groups };
}

function isPrompt(log: Log): boolean {
  return nameOf(log) === 'user_prompt';
}

function nameOf({ attributes, eventName }: Log): unknown {
  return attributes['event.name'] ?? eventName?.replace('claude_code.', '');
}
