import { describe, expect, test } from 'vitest';
import { isSdkEntry, mayBeSdk } from './sdk-entry.ts';

const FOLDER = 'file:///app/node_modules/@anthropic-ai/claude-agent-sdk';

describe('entries of the SDK', () => {
  test.each([
    ['@anthropic-ai/claude-agent-sdk', `${FOLDER}/sdk.mjs`],
    ['@anthropic-ai/claude-agent-sdk/core', `${FOLDER}/core.mjs`],
    // A link into another workspace.
    ['@anthropic-ai/claude-agent-sdk', 'file:///checkout/sdk/sdk.mjs'],
    // What a bundler calls an external package.
    ['@anthropic-ai/claude-agent-sdk-3f2a9c', `${FOLDER}/sdk.mjs`],
    [`${FOLDER}/sdk.mjs`, `${FOLDER}/sdk.mjs`],
    [`${FOLDER}/core.mjs`, `${FOLDER}/core.mjs`],
  ])('%s at %s is one', (specifier, url) => {
    expect([mayBeSdk(specifier), isSdkEntry(url, specifier)]).toEqual([true, true]);
  });

  test.each([
    ['@anthropic-ai/claude-agent-sdk/browser', `${FOLDER}/browser-sdk.js`],
    ['./core-4c8nqa7k.mjs', `${FOLDER}/core-4c8nqa7k.mjs`],
    ['@anthropic-ai/claude-agent-sdk-tools', 'file:///app/node_modules/@anthropic-ai/claude-agent-sdk-tools/sdk.mjs'],
  ])('%s at %s is none', (specifier, url) => {
    expect(isSdkEntry(url, specifier)).toBe(false);
  });
});
