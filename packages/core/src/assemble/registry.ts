import type { IdSource, SpanId } from '../model/ids.ts';
import type { AgentRef, CallRef } from '../model/observation.ts';
import { FilledNumbers, OpenMap, RecentMap } from '../model/bounded.ts';
import {
  type AgentNode,
  agentNode,
  type CallNode,
  callNode,
  type CallSlot,
  mergeCalls,
  type Parent,
  type ToolNode,
  toolNode,
  type ToolSlot,
} from './nodes.ts';
import { NOBODY } from './sources.ts';
import { appended, closed, NONE, type Open, opened } from './lists.ts';

const REMEMBERED = 2048;
/** The stream tells of a thing while it is open, only the CLI's batches come late; and what is remembered crowds the processor's cache. */
const REMEMBERED_OF_STREAM = 64;
const MOST_WAITING = 10_000;

/** A call by its ids, or, where it never got any, as the one such call of its agent. */
export interface NamedCall extends CallRef {
  readonly unnamed?: string;
}

export interface RegistryOptions {
  readonly ids: IdSource;
  readonly agentName: string;
  readonly firstTurn?: { readonly spanId: SpanId };
  readonly expects: { readonly cli: boolean };
}

/** Everything of one query that is not finished, found by the ids that Anthropic and the CLI gave it. Nothing here is "current". */
export class Registry {
  /** Those that have not ended: seldom more than one. */
  turns: Open<AgentNode> = NONE;
  readonly subagents: Set<AgentNode> = new Set();
  readonly #agentsById: Map<string, AgentNode> = new Map();
  readonly #agentsByTool: Map<string, AgentNode> = new Map();
  readonly #calls: OpenMap<CallSlot>;
  readonly #tools: OpenMap<ToolSlot>;
  /** Messages of attempts that were given up; hardly any query has one. */
  #abandoned: RecentMap<true> | undefined;
  readonly #cliSpans: Map<string, Parent> = new Map();
  readonly #closedCliSpans: RecentMap<Parent> = new RecentMap(REMEMBERED);
  readonly #waiting: Map<string, ((parent: Parent) => void)[]> = new Map();
  #waitingCount = 0;
  readonly #closedTurns: FilledNumbers = new FilledNumbers();
  #latestTurn = -1;
  readonly #closedTurnNodes: RecentMap<AgentNode> = new RecentMap(REMEMBERED);
  readonly #closedAgents: RecentMap<true> = new RecentMap(REMEMBERED);
  readonly #ids: IdSource;
  readonly #agentName: string;
  readonly #firstTurnId: SpanId | undefined;
  readonly #expectsCli: boolean;

  constructor({ ids, agentName, firstTurn, expects }: RegistryOptions) {
    this.#ids = ids;
    this.#agentName = agentName;
    this.#firstTurnId = firstTurn?.spanId;
    this.#expectsCli = expects.cli;
    const remembered = expects.cli ? REMEMBERED : REMEMBERED_OF_STREAM;
    this.#calls = new OpenMap(remembered, isOpenCall);
    this.#tools = new OpenMap(remembered, isOpenTool);
  }

  /** Undefined unless it is open. */
  turn(number: number): AgentNode | undefined {
    for (const node of this.turns) if (node.turn === number) return node;
    return undefined;
  }

  /** Undefined when the turn of that number has ended. */
  newTurn(turn: number, name?: string): AgentNode | undefined {
    if (this.#closedTurns.has(turn)) return undefined;
    const spanId = (turn === 0 ? this.#firstTurnId : undefined) ?? this.#ids.spanId(name);
    const node = agentNode(spanId, this.#agentName, turn);
    this.turns = opened(this.turns, node);
    this.#latestTurn = Math.max(this.#latestTurn, turn);
    return node;
  }

  /** Whether no later turn is known. */
  isLatest(turn: number): boolean {
    return turn === this.#latestTurn;
  }

  /** The subagent of that id or asked for by that call; made when it is new. */
  subagent(ref: AgentRef): AgentNode | undefined {
    const { agentId, toolCallId } = ref;
    const known =
      (agentId === undefined ? undefined : this.#agentsById.get(agentId)) ??
      (toolCallId === undefined ? undefined : this.#agentsByTool.get(toolCallId));
    if (known === undefined && agentId !== undefined && this.#closedAgents.get(agentId)) return undefined;
    const node = known ?? agentNode(this.#ids.spanId(agentId ?? toolCallId), 'subagent');
    this.subagents.add(node);
    if (agentId !== undefined && node.agentId === undefined) {
      node.agentId = agentId;
      this.#agentsById.set(agentId, node);
    }
    if (toolCallId !== undefined && !this.#agentsByTool.has(toolCallId)) this.#agentsByTool.set(toolCallId, node);
    return node;
  }

  closeAgent(node: AgentNode): void {
    this.subagents.delete(node);
    if (node.agentId !== undefined) {
      this.#agentsById.delete(node.agentId);
      this.#closedAgents.set(node.agentId, true);
    }
    if (node.spawnedBy !== undefined) this.#agentsByTool.delete(node.spawnedBy.toolCallId);
    if (node.turn !== undefined) {
      this.turns = closed(this.turns, node);
      this.#closedTurns.add(node.turn);
      this.#closedTurnNodes.set(String(node.turn), node);
    }
    this.#closeCliSpans(node);
  }

  /** The call of those ids; undefined when it has ended already. */
  call(ref: NamedCall): CallNode | undefined {
    const { requestId, messageId, unnamed } = ref;
    // Only the CLI knows a call by its request alone: without it, the message is name enough.
    const isFoundByRequest = requestId !== undefined && (this.#expectsCli || messageId === undefined);
    const byRequest = isFoundByRequest ? this.#calls.get(requestName(requestId)) : undefined;
    const byMessage = messageId === undefined ? undefined : this.#calls.get(messageName(messageId));
    const byPlace = unnamed === undefined ? undefined : this.#calls.get(unnamed);
    if (isClosed(byRequest) || isClosed(byMessage) || isClosed(byPlace)) return undefined;
    const node =
      this.#same(byRequest, this.#same(byMessage, byPlace?.call)) ??
      this.#newCall(requestId ?? messageId ?? unnamed, messageId);
    if (requestId !== undefined) node.requestId ??= requestId;
    if (isFoundByRequest && byRequest === undefined) this.#calls.set(requestName(requestId), node.slot);
    if (messageId !== undefined && byMessage === undefined) {
      node.messageId ??= messageId;
      this.#calls.set(messageName(messageId), node.slot);
    }
    if (unnamed !== undefined && byPlace === undefined) {
      node.unnamed = unnamed;
      this.#calls.set(unnamed, node.slot);
    }
    return node;
  }

  #newCall(name?: string, within?: string): CallNode {
    return callNode(this.#ids.spanId(name, within), this.#calls.age);
  }

  /** The call that both mean; two that were known as different turn out to be one. */
  #same(slot: CallSlot | undefined, other: CallNode | undefined): CallNode | undefined {
    const into = slot?.call;
    if (into === undefined || other === undefined || into === other) return into ?? other;
    mergeCalls(into, other);
    for (const name of callNames(other)) this.#calls.set(name, into.slot);
    return into;
  }

  /** Our span of a call, ended or not, or not heard of yet: a tool can be done before the call that asked for it. */
  spanIdOfCall(requestId: string): SpanId | undefined {
    return this.#calls.get(requestName(requestId))?.spanId ?? this.call({ requestId })?.spanId;
  }

  /** Forgets what never found its place; how many things that were. */
  dropUnplaced(): number {
    const calls = this.#calls.open().map((slot) => slot.call);
    const tools = this.#tools.open().map((slot) => slot.tool);
    const nodes = new Set([...calls, ...tools, ...this.subagents]);
    const count = this.#waitingCount + [...nodes].filter((node) => node !== undefined && node.seenBy !== NOBODY).length;
    this.#calls.deleteOpen();
    this.#tools.deleteOpen();
    for (const held of [this.subagents, this.#agentsById, this.#agentsByTool, this.#cliSpans]) held.clear();
    this.#waiting.clear();
    this.#waitingCount = 0;
    return count;
  }

  /** The turn that what has no place is shown under: the latest that is open, or, when none was ever told of, a first. */
  turnForUnplaced(): number | undefined {
    if (this.#latestTurn === -1) return this.#waitingCount > 0 || this.subagents.size > 0 ? 0 : undefined;
    return this.turns.length === 0 ? undefined : Math.max(...this.turns.map(({ turn = 0 }) => turn));
  }

  /** True when a call has its place in the row of its agent's calls, or needs none any more. */
  isNamed(ref: NamedCall): boolean {
    return callNames(ref).some((name) => {
      const slot = this.#calls.get(name);
      return isClosed(slot) || slot?.call?.unnamed !== undefined || slot?.call?.requestId !== undefined;
    });
  }

  dropCall(node: CallNode): void {
    for (const name of callNames(node)) this.#calls.delete(name);
  }

  /** An attempt that came to nothing is no call. */
  abandonCall(node: CallNode): void {
    this.dropCall(node);
    this.#abandoned ??= new RecentMap(REMEMBERED_OF_STREAM);
    if (node.messageId !== undefined) this.#abandoned.set(node.messageId, true);
  }

  wasAbandoned({ messageId }: CallRef): boolean {
    return messageId !== undefined && this.#abandoned?.get(messageId) === true;
  }

  closeCall(node: CallNode): void {
    const { slot } = node;
    slot.call = undefined;
    // Remembered from its end on, not from its beginning.
    if (slot.age !== this.#calls.age) for (const name of callNames(node)) this.#calls.set(name, slot);
  }

  /** The tool call of that id; undefined when it has ended and the word is not of a new one. */
  tool(toolCallId: string, askedBy?: string, cliToolSpanId?: string): ToolNode | undefined {
    const slot = this.#tools.get(toolCallId);
    if (slot !== undefined) {
      if (isOpenTool(slot)) return slot.tool;
      if (!isAnother(slot, askedBy, cliToolSpanId)) return undefined;
    }
    const node = toolNode(this.#ids.spanId(toolCallId, askedBy), toolCallId, this.#tools.age);
    this.#tools.set(toolCallId, node.slot);
    return node;
  }

  /** Which observation told of its output, of a call that has ended. */
  resultIdOf(toolCallId: string): string | undefined {
    return this.#tools.get(toolCallId)?.resultId;
  }

  openTool(toolCallId: string): ToolNode | undefined {
    const slot = this.#tools.get(toolCallId);
    return slot !== undefined && isOpenTool(slot) ? slot.tool : undefined;
  }

  closeTool(node: ToolNode): void {
    const { slot } = node;
    node.isEnded = true;
    this.#closeCliSpans(node);
    slot.askedBy = node.askedBy;
    // The CLI may still name its spans.
    if (!this.#expectsCli) slot.tool = undefined;
    if (slot.age !== this.#tools.age) this.#tools.set(node.toolCallId, slot);
  }

  /** A late word about an ended span must find it, bare of its content, to be told from one that is early. */
  #closeCliSpans(node: Parent): void {
    for (const id of node.cliSpanIds) {
      this.#cliSpans.delete(id);
      this.#closedCliSpans.set(id, node);
    }
    strip(node);
  }

  /** For late words: whatever waits for these spans of the CLI waits no longer. */
  nameEndedTurn(cliSpanId: string, turn: number): void {
    const node = this.#closedTurnNodes.get(String(turn));
    if (node !== undefined) this.nameCliSpan(cliSpanId, node);
  }

  nameEndedTool(cliSpanIds: readonly (string | undefined)[], toolCallId: string): void {
    const node = this.#tools.get(toolCallId)?.tool;
    if (node === undefined || !node.isEnded) return;
    for (const id of cliSpanIds) if (id !== undefined) this.nameCliSpan(id, node);
  }

  /** Remembers which span of ours a span of the CLI is, and tells whoever waited for it. */
  nameCliSpan(cliSpanId: string, node: Parent): void {
    if (node.isEnded) this.#closedCliSpans.set(cliSpanId, node);
    else if (this.#cliSpans.get(cliSpanId) !== node) {
      node.cliSpanIds = appended(node.cliSpanIds, cliSpanId);
      this.#cliSpans.set(cliSpanId, node);
    }
    const waiting = this.#waiting.get(cliSpanId);
    if (waiting === undefined) return;
    this.#waiting.delete(cliSpanId);
    this.#waitingCount -= waiting.length;
    for (const place of waiting) place(node);
  }

  /** Calls `place` with the parent, now or when it becomes known. False when too many wait already. */
  whenPlaced(cliSpanId: string, place: (parent: Parent) => void): boolean {
    const known = this.#cliSpans.get(cliSpanId) ?? this.#closedCliSpans.get(cliSpanId);
    if (known !== undefined) {
      place(known);
      return true;
    }
    if (this.#waitingCount >= MOST_WAITING) return false;
    const waiting = this.#waiting.get(cliSpanId);
    if (waiting === undefined) this.#waiting.set(cliSpanId, [place]);
    else waiting.push(place);
    this.#waitingCount += 1;
    return true;
  }

  /** Gives everything that still waits for a parent the one given. */
  placeWaiting(parent: Parent): void {
    const waiting = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#waitingCount = 0;
    for (const place of waiting) place(parent);
  }

  /** Everything that is held because it is not finished. */
  get openCount(): number {
    const named =
      this.#agentsById.size +
      this.#agentsByTool.size +
      this.#calls.open().length +
      this.#tools.open().length +
      this.#cliSpans.size;
    return this.turns.length + this.subagents.size + named + this.#waitingCount;
  }
}

/** Ended nodes are remembered bare of all content. */
function strip(node: Parent): void {
  if (node.kind === 'agent') {
    node.input = NONE;
    node.nextInput = NONE;
    node.lastOutput = undefined;
    node.currentCall = undefined;
    return;
  }
  if (node.cliSpan?.cliSpanId !== undefined) node.cliToolSpanId = node.cliSpan.cliSpanId;
  node.input = undefined;
  node.output = undefined;
  node.call = undefined;
  node.cliSpan = undefined;
  node.cliExecution = undefined;
  node.cliLog = undefined;
  node.hook = undefined;
}

function isOpenCall({ call }: CallSlot): boolean {
  return call !== undefined;
}

function isClosed(slot: CallSlot | undefined): boolean {
  return slot !== undefined && slot.call === undefined;
}

function isOpenTool(slot: ToolSlot): slot is ToolSlot & { readonly tool: ToolNode } {
  return slot.tool !== undefined && !slot.tool.isEnded;
}

type Names = { readonly [K in keyof NamedCall]?: string | undefined };

function callNames({ requestId, messageId, unnamed }: Names): string[] {
  const names: string[] = [];
  if (requestId !== undefined) names.push(requestName(requestId));
  if (messageId !== undefined) names.push(messageName(messageId));
  if (unnamed !== undefined) names.push(unnamed);
  return names;
}

/** Anthropic's ids say what they are of, and a string that is used again is looked up faster than a new one; others' ids may not. */
function requestName(requestId: string): string {
  return requestId.startsWith('req_') ? requestId : `r:${requestId}`;
}

function messageName(messageId: string): string {
  return messageId.startsWith('msg_') ? messageId : `m:${messageId}`;
}

/** What is left of a call that has ended is enough to tell a late word about it from a new call with the same id. */
function isAnother({ askedBy, tool }: ToolSlot, saidAskedBy?: string, saidCliSpanId?: string): boolean {
  if (saidAskedBy !== undefined && askedBy !== undefined) return saidAskedBy !== askedBy;
  const cliToolSpanId = tool?.cliToolSpanId;
  return saidCliSpanId !== undefined && cliToolSpanId !== undefined && saidCliSpanId !== cliToolSpanId;
}
