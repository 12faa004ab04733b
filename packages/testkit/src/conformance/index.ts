export {
  type MakeSink,
  referenceCase,
  referenceSink,
  type ReferenceSinkOptions,
  type WireRow,
} from './reference-sink.ts';
export {
  type Capability,
  type Made,
  type Rig,
  type Row,
  runSinkCheck,
  type SinkCase,
  type SinkCheck,
} from './sink-case.ts';
export { type DialectCase, type DialectLike, testDialect } from './test-dialect.ts';
export { SINK_CHECKS, type TestFunction, testSink } from './test-sink.ts';
export {
  brokenPromises,
  type Heard,
  listeningSink,
  type ListeningSink,
  type SourceCase,
  testSource,
} from './test-source.ts';
export { labelOf } from './traces.ts';
export { type Mutant, MUTANTS } from './mutants.ts';
