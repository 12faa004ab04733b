export { openStore, type OpenStoreOptions } from './read/open-store.ts';
export { COST_DIMENSIONS } from './read/costs.ts';
export { type SqliteSink, sqliteSink, type SqliteSinkOptions } from './sink/sqlite-sink.ts';
export type {
  CostDimension,
  CostQuery,
  CostReport,
  CostRow,
  Failure,
  FailureGroup,
  RunDetail,
  RunFilter,
  Store,
  StoredRun,
  StoredSpan,
} from './store.ts';
export { defaultStorePath, type Environment } from './store-path.ts';
