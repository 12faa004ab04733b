import type { CaptureFields, CaptureOptions } from '@spanprism/core';
import { CommandError } from '../command.ts';

const FIELDS = [
  'prompts',
  'outputs',
  'thinking',
  'toolInputs',
  'toolOutputs',
  'systemInstructions',
  'errors',
  'location',
] as const satisfies readonly (keyof CaptureFields)[];

/** What `--capture` says; undefined when it says nothing. */
export function captureOf(text: unknown): CaptureOptions | undefined {
  if (typeof text !== 'string') return undefined;
  if (text === 'metadata' || text === 'full') return text;
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !FIELDS.some((field) => field === name));
  if (unknown !== undefined) {
    throw new CommandError({
      what: `--capture has no field "${unknown}"`,
      fix: `it takes metadata, full, or of ${FIELDS.join(', ')}, separated by commas`,
    });
  }
  return Object.fromEntries(names.map((name) => [name, true]));
}
