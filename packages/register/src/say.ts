import { createRequire } from 'node:module';
import type * as otlp from '@spanprism/core/otlp';

/** One line on stderr. What writes it is loaded only now: most programs never have anything to be told. */
export function say(line: string): void {
  const { writeStderr } = createRequire(import.meta.url)('@spanprism/core/otlp') as typeof otlp;
  writeStderr(`spanprism: ${line}\n`);
}
