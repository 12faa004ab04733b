import type { OtlpValue } from '../records.ts';

export type AttributeMap = Record<string, OtlpValue>;

interface Constructor {
  new (isFirst?: boolean): AttributeMap;
}

/**
 * Makes maps that inherit nothing, so that a key like `__proto__` is a key like any other. Of `Object.create(null)`, and of literals after
 * a dozen keys, V8 makes hash tables, and to fill, read and collect those takes twice as long. Objects of one constructor hold their
 * properties themselves, as many as the first few are seen to have.
 */
const Attributes = function (this: AttributeMap, isFirst?: boolean) {
  if (isFirst !== true) return;
  this['a'] = this['b'] = this['c'] = this['d'] = this['e'] = this['f'] = this['g'] = this['h'] = null;
  this['i'] = this['j'] = this['k'] = this['l'] = this['m'] = this['n'] = this['o'] = this['p'] = null;
  this['q'] = this['r'] = this['s'] = this['t'] = this['u'] = this['v'] = this['w'] = this['x'] = null;
} as unknown as Constructor;
Attributes.prototype = Object.create(null);
new Attributes(true);

export function newAttributes(): AttributeMap {
  return new Attributes();
}
