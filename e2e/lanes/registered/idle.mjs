// Never loads the SDK. Prints how many threads the process has beside its own.
import { createRequire } from 'node:module';

createRequire(import.meta.url)('./ask.cjs');
console.log(process.report.getReport().workers.length);
