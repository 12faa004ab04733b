import { expect, test } from 'vitest';
import { userTags } from './user-attributes.ts';

test.each([
  [{ tags: '["a","b"]' }, ['a', 'b']],
  [{ tags: '["a",1]' }, ['a', '1']],
  [{ tags: 'nightly' }, ['nightly']],
  [{ tags: '[broken' }, ['[broken']],
  [{ tags: '{"a":1}' }, ['{"a":1}']],
  [{ tags: 3 }, undefined],
  [{}, undefined],
])('the tags of %j are %j', (attributes, tags) => {
  expect(userTags(attributes)).toEqual(tags);
});
