import assert from 'node:assert/strict';
import { applyCapture, type CapturedSpan, resolveCapture, type Span } from '@spanprism/core';
import type { TestFunction } from './test-sink.ts';
import { agent, CONTENT, FIGURES, OUTCOMES, permission, SEGMENT, SUBAGENT, type Told, TURN } from './traces.ts';

/** The part of a dialect that every backend needs: pure functions from a captured span. */
export interface DialectLike {
  readonly name: string;
  spanName(span: CapturedSpan): string;
  attributes(span: CapturedSpan): Readonly<Record<string, unknown>>;
}

export interface DialectCase {
  readonly dialect: DialectLike;
  /** Beginnings of the keys that belong to the backend's documents or to us; keys of the user are his own. */
  readonly prefixes: readonly string[];
}

const USER_ATTRIBUTES = { 'user.id': 'u-1', project: 'p', beta: true, rank: 3 } as const;

/** Spans of every kind, with and without content, started and ended. */
function samples(): readonly CapturedSpan[] {
  const spans = [TURN, SUBAGENT, SEGMENT, FIGURES, OUTCOMES, CONTENT].flatMap((told: readonly Told[]) =>
    told.flatMap((step): Span[] => (step.type === 'turn-end' ? [] : [step.span])),
  );
  const {
    toolCallId: _,
    toolName: __,
    decision: ___,
    decidedBy: ____,
    ...base
  } = permission({ id: 90, parent: 1, ms: [0, 1] });
  const others: readonly Span[] = [
    { ...base, kind: 'hook', hookEvent: 'PreToolUse', hookName: 'PreToolUse:Bash', blocked: true },
    { ...base, kind: 'custom', name: 'review' },
    agent({ id: 91, ms: [0, 1], attributes: USER_ATTRIBUTES }),
  ];
  return (['metadata', 'full'] as const).flatMap((capture) => {
    const policy = resolveCapture(capture, { environment: {} });
    return [...spans, ...others].map((span): CapturedSpan => applyCapture(span, policy));
  });
}

/** What OpenTelemetry takes as the value of an attribute. */
function isAttributeValue(value: unknown): boolean {
  if (!Array.isArray(value)) return isScalar(value);
  return value.every(isScalar) && new Set(value.map((item) => typeof item)).size <= 1;
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));

/** Registers what must hold of a dialect, whatever backend it is for. */
export function testDialect(test: TestFunction, { dialect, prefixes }: DialectCase): void {
  const each = (name: string, holds: (span: CapturedSpan) => void): void => {
    test(`${dialect.name}: ${name}`, async () => samples().forEach(holds));
  };
  each('every kind of span has a name', (span) => {
    assert.equal(typeof dialect.spanName(span), 'string');
    assert.notEqual(dialect.spanName(span), '');
  });
  each('attributes have values that OpenTelemetry takes', (span) => {
    for (const [key, value] of Object.entries(dialect.attributes(span)))
      assert.ok(isAttributeValue(value), `${span.kind} ${key}`);
  });
  each('no fact has two spellings of its key', (span) => {
    const keys = Object.keys(dialect.attributes(span));
    const spellings = keys.map((key) => key.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
    assert.deepEqual(
      spellings.filter((key, index) => spellings.indexOf(key) !== index),
      [],
    );
  });
  each('no key is under a foreign prefix', (span) => {
    const own = (key: string): boolean => key in span.attributes || prefixes.some((prefix) => key.startsWith(prefix));
    assert.deepEqual(
      Object.keys(dialect.attributes(span)).filter((key) => !own(key)),
      [],
    );
  });
  each('the same span is spelled the same twice, and is not changed', (span) => {
    const before = structuredClone(span);
    assert.deepEqual(dialect.attributes(span), dialect.attributes(span));
    assert.equal(dialect.spanName(span), dialect.spanName(span));
    assert.deepEqual(span, before);
  });
}
