/** Marks the file as a store of ours (`PRAGMA application_id`): "SPRM". */
export const APPLICATION_ID = 0x5350524d;

/** Dimensions of which the rollups keep sums. Part of the file format: never renumbered. */
export const DIMENSIONS = { model: 0, tool: 1, 'mcp-server': 2, subagent: 3, day: 4 } as const;
export type Dimension = keyof typeof DIMENSIONS;

const TABLES = `
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  stored_at INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  outcome INTEGER,
  outcome_at INTEGER NOT NULL,
  agent INTEGER,
  project INTEGER,
  folder INTEGER,
  user INTEGER,
  branch INTEGER,
  turns INTEGER NOT NULL,
  spans INTEGER NOT NULL,
  llm_calls INTEGER NOT NULL,
  unpriced_calls INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  unattributed INTEGER NOT NULL
) STRICT;
CREATE INDEX run_by_end ON run (ended_at);
CREATE INDEX run_by_stored ON run (stored_at);
CREATE INDEX run_failed ON run (ended_at) WHERE failed = 1;

CREATE TABLE run_tag (run INTEGER NOT NULL, tag INTEGER NOT NULL, PRIMARY KEY (run, tag)) STRICT, WITHOUT ROWID;

CREATE TABLE span (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  run INTEGER NOT NULL,
  trace_id BLOB NOT NULL,
  span_id BLOB NOT NULL,
  parent_id BLOB,
  kind INTEGER NOT NULL,
  status INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  name INTEGER NOT NULL,
  agent INTEGER,
  error_type INTEGER,
  outcome INTEGER,
  mcp_server INTEGER,
  is_turn INTEGER NOT NULL,
  carries INTEGER NOT NULL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  cost INTEGER,
  body INTEGER NOT NULL,
  line INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX span_by_key ON span (key);
CREATE INDEX span_by_run ON span (run);
CREATE INDEX span_by_parent ON span (parent_id) WHERE kind IN (1, 2);
CREATE INDEX span_agent ON span (span_id) WHERE kind = 0;
CREATE INDEX span_failed ON span (run) WHERE status = 1;

CREATE TABLE body (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, lines BLOB NOT NULL) STRICT;
CREATE INDEX body_by_run ON body (run);

CREATE TABLE alias (
  run INTEGER NOT NULL,
  span_id BLOB NOT NULL,
  stored_id BLOB NOT NULL,
  PRIMARY KEY (run, span_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_cost (
  run INTEGER NOT NULL,
  dimension INTEGER NOT NULL,
  name INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  PRIMARY KEY (run, dimension, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE total_cost (
  dimension INTEGER NOT NULL,
  name INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  PRIMARY KEY (dimension, name)
) STRICT, WITHOUT ROWID;
`;

/** What turns version n into n + 1. What is here has been released: it is never changed, only added to. */
export const MIGRATIONS: readonly string[] = [TABLES];

export const VERSION: number = MIGRATIONS.length;
