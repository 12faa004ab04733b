/** Marks the file as a store of ours (`PRAGMA application_id`): "SPRM". */
export const APPLICATION_ID = 0x5350524d;

/** Columns of a run that are sums over its spans. */
export const SUM_COLUMNS = [
  'turns',
  'spans',
  'llm_calls',
  'unpriced_calls',
  'tool_calls',
  'errors',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost',
  'unattributed',
] as const;

/**
 * Dimensions of which the rollups keep sums. `all` has one name and everything, `unpriced` one name and the calls whose cost nobody told.
 * Part of the file format: never renumbered.
 */
export const DIMENSIONS = {
  model: 0,
  tool: 1,
  'mcp-server': 2,
  subagent: 3,
  day: 4,
  project: 5,
  all: 6,
  unpriced: 7,
} as const;
export type Dimension = keyof typeof DIMENSIONS;

/** The one name of `all` and `unpriced`. */
export const EVERYTHING = '*';

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

const named = (column: string): string => `(SELECT text FROM name WHERE id = ${column})`;
const moment = (column: string): string => `strftime('%Y-%m-%d %H:%M:%f', ${column} / 1e9, 'unixepoch')`;

/** For whoever asks with sqlite3 himself: ids in hex, times as text, money in USD. */
const VIEWS = `
CREATE VIEW runs AS SELECT run_id, ${moment('started_at')} AS started_at, ${moment('ended_at')} AS ended_at,
  (ended_at - started_at) / 1e6 AS duration_ms, failed, ${named('outcome')} AS outcome, ${named('agent')} AS agent,
  ${named('coalesce(project, folder)')} AS project, ${named('user')} AS user, ${named('branch')} AS branch,
  turns, spans, llm_calls, unpriced_calls, tool_calls, errors,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost / 1e9 AS cost_usd, unattributed / 1e9 AS unattributed_usd
FROM run;

CREATE VIEW spans AS SELECT r.run_id, lower(hex(s.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id,
  CASE WHEN s.parent_id IS NOT NULL THEN lower(hex(s.parent_id)) END AS parent_id,
  CASE s.kind WHEN 0 THEN 'agent' WHEN 1 THEN 'llm' WHEN 2 THEN 'tool' WHEN 3 THEN 'permission' WHEN 4 THEN 'hook' ELSE 'custom' END AS kind,
  ${named('s.name')} AS name, CASE s.status WHEN 0 THEN 'ok' WHEN 1 THEN 'error' ELSE 'cancelled' END AS status,
  ${moment('s.started_at')} AS started_at, s.duration / 1e6 AS duration_ms,
  ${named('s.agent')} AS agent, ${named('s.error_type')} AS error_type, ${named('s.outcome')} AS outcome,
  ${named('s.mcp_server')} AS mcp_server,
  s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_write_tokens, s.cost / 1e9 AS cost_usd
FROM span s JOIN run r ON r.id = s.run;

CREATE VIEW costs AS SELECT
  CASE c.dimension WHEN 0 THEN 'model' WHEN 1 THEN 'tool' WHEN 2 THEN 'mcp-server' WHEN 3 THEN 'subagent' WHEN 4 THEN 'day'
    WHEN 5 THEN 'project' WHEN 6 THEN 'all' ELSE 'unpriced' END AS dimension,
  n.text AS name, c.calls, c.errors, c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cost / 1e9 AS cost_usd
FROM total_cost c JOIN name n ON n.id = c.name;
`;

/**
 * When a call, or a tool call, matters to the others of its agent: a call is given the results of the tool calls that have ended when it
 * starts. Part of an index, so its text is part of the file format.
 */
export const SHARED_AT = 'CASE kind WHEN 1 THEN started_at ELSE started_at + duration END';

const NAMES_OF_SPANS = ['name', 'agent', 'error_type', 'outcome', 'mcp_server'];
const NAMES_OF_RUNS = ['outcome', 'agent', 'project', 'folder', 'user', 'branch'];

/** Members of an agent in the order of time, so that new ones need not be held against all there are; and names that go with their runs. */
const NEIGHBOURS_AND_NAMES = `
DROP INDEX span_by_parent;
CREATE INDEX span_by_parent ON span (parent_id, ${SHARED_AT}) WHERE kind IN (1, 2);

CREATE TABLE run_name (run INTEGER NOT NULL, name INTEGER NOT NULL, PRIMARY KEY (run, name)) STRICT, WITHOUT ROWID;
INSERT INTO run_name SELECT run, tag FROM run_tag UNION SELECT run, name FROM run_cost
  ${NAMES_OF_SPANS.map((column) => `UNION SELECT run, ${column} FROM span WHERE ${column} IS NOT NULL`).join(' ')}
  ${NAMES_OF_RUNS.map((column) => `UNION SELECT id, ${column} FROM run WHERE ${column} IS NOT NULL`).join(' ')};
CREATE INDEX run_name_by_name ON run_name (name);
DELETE FROM name WHERE id NOT IN (SELECT name FROM run_name);
`;

/**
 * Keys in the order in which their ids were minted, so that what is new goes to the end of the index. Those up to the last span there is
 * stay as they are: the last twelve bytes of what they would be.
 */
const KEYS_IN_ORDER = `
CREATE TABLE keyed_before (last_span INTEGER NOT NULL) STRICT;
INSERT INTO keyed_before SELECT coalesce(max(id), 0) FROM span;
`;

/** What turns version n into n + 1. What is here has been released: it is never changed, only added to. */
export const MIGRATIONS: readonly string[] = [TABLES, VIEWS, NEIGHBOURS_AND_NAMES, KEYS_IN_ORDER];

export const VERSION: number = MIGRATIONS.length;
