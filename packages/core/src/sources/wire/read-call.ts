import type { WireExchange, WireGap } from '../../loopback/wire/wire-exchange.ts';
import { given } from '../../model/given.ts';
import type { Message, ToolDefinition } from '../../model/message.ts';
import type { CallPassed } from '../../model/observation.ts';
import type { Issue, SpanError } from '../../model/span.ts';
import { unixNanoFromMs } from '../../model/time.ts';
import { readBlocks, readUsage } from '../sdk/content.ts';
import { fieldsOf, stringIn } from '../sdk/guards.ts';

/** What one exchange says of its call. */
export type WireCall = Pick<
  CallPassed,
  | 'model'
  | 'responseModel'
  | 'purpose'
  | 'firstTokenAt'
  | 'usage'
  | 'stopReason'
  | 'error'
  | 'wasCut'
  | 'input'
  | 'output'
  | 'systemInstructions'
  | 'toolDefinitions'
  | 'gaps'
>;

export function readCall(exchange: WireExchange): WireCall {
  const { request, answer, firstByteAt } = exchange;
  const error = errorOf(exchange);
  // Figures of a start alone are none: one output token, whatever comes.
  const usage = readUsage(answer?.usage);
  return {
    ...given('model', request.model),
    ...given('responseModel', answer?.model),
    purpose: request.purpose,
    ...given(
      'firstTokenAt',
      firstByteAt === undefined || answer === undefined ? undefined : unixNanoFromMs(firstByteAt),
    ),
    ...given('usage', usage),
    ...given('stopReason', answer?.stopReason),
    ...given('error', error),
    wasCut: error === undefined && (exchange.end !== 'complete' || answer?.isWhole === false),
    input: inputOf(exchange),
    output: readBlocks(answer?.blocks),
    ...given('systemInstructions', instructionsOf(request.system)),
    ...given('toolDefinitions', request.tools?.flatMap(toolOf)),
    gaps: exchange.gaps.map((gap) => GAPS[gap]),
  };
}

const GAPS: Readonly<Record<WireGap, Issue>> = {
  thinned: { code: 'truncated', message: 'So much passed at once that only the figures of this exchange were kept.' },
  request: {
    code: 'truncated',
    message: 'The request was not readable as JSON; it is shown as it was, as far as it goes.',
  },
  answer: { code: 'truncated', message: 'The answer was not readable as what it says it is.' },
};

function errorOf({ error, status, end, failure }: WireExchange): SpanError | undefined {
  if (error !== undefined) return error;
  if (status !== undefined && status >= 400) return { type: String(status), message: `HTTP ${status}` };
  if (end === 'unreachable') return { type: failure ?? 'unreachable', message: 'the API could not be reached' };
  return undefined;
}

/** The model's own words came back with what was added to them; they are the output of the call before. */
function inputOf({ request }: WireExchange): Message[] {
  if (request.unreadable !== undefined)
    return [{ role: 'user', content: [{ type: 'other', raw: request.unreadable }] }];
  const messages = request.messages.flatMap(readMessage);
  return request.isFirst ? messages : messages.filter(({ role }) => role !== 'assistant');
}

function readMessage(value: unknown): Message[] {
  const message = fieldsOf(value);
  const role = message?.['role'];
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    return [{ role: 'user', content: [{ type: 'other', raw: value }] }];
  return [{ role, content: readBlocks(message?.['content']) }];
}

/** Not an instruction: the CLI's note to whoever bills, with a hash that differs from call to call. */
const BILLING = 'x-anthropic-billing-header:';

function instructionsOf(system: unknown): readonly string[] | undefined {
  if (system === undefined) return undefined;
  if (typeof system === 'string') return [system];
  if (!Array.isArray(system)) return [JSON.stringify(system)];
  return system
    .map((block: unknown) => stringIn(fieldsOf(block), 'text') ?? JSON.stringify(block))
    .filter((text) => !text.startsWith(BILLING));
}

/** A tool of the API's own has a type in place of a schema. */
function toolOf(value: unknown): ToolDefinition[] {
  const tool = fieldsOf(value);
  const name = stringIn(tool, 'name') ?? stringIn(tool, 'type');
  if (tool === undefined || name === undefined) return [];
  return [
    { name, ...given('description', stringIn(tool, 'description')), ...given('inputSchema', tool['input_schema']) },
  ];
}
