import { either } from './dialect.js';

/** Pieces of SQL that several operations share, and those that the engines write differently. */

/** Later than any time there will be, milliseconds since 1970. */
const never = Number.MAX_SAFE_INTEGER;

/** The smaller of two values that are not NULL. */
export const least = (a: string, b: string): string =>
  `${either({ sqlite: 'min', postgres: 'least' })}(${a}, ${b})`;

/** The larger of two values that are not NULL. */
export const greatest = (a: string, b: string): string =>
  `${either({ sqlite: 'max', postgres: 'greatest' })}(${a}, ${b})`;

/** The earlier of two times, either of which may be NULL. */
export const earlier = (a: string, b: string): string =>
  `nullif(${least(`coalesce(${a}, ${never})`, `coalesce(${b}, ${never})`)}, ${never})`;

/** A condition as 0 or 1: SQLite has no other booleans, and PostgreSQL's are no integers. */
export const flag = (condition: string): string => `CASE WHEN ${condition} THEN 1 ELSE 0 END`;

/**
 * The integers of a list as a table with the column `value`. The parameter is the list as
 * a JSON text, which is the same on both engines.
 */
export const integersOf = (parameter: string): string =>
  either({
    sqlite: `json_each(${parameter})`,
    postgres: `(SELECT CAST(value AS INTEGER) AS value
      FROM json_array_elements_text(CAST(${parameter} AS JSON)))`,
  });

/** As `integersOf`, for texts. */
export const textsOf = (parameter: string): string =>
  either({
    sqlite: `json_each(${parameter})`,
    postgres: `(SELECT value FROM json_array_elements_text(CAST(${parameter} AS JSON)))`,
  });

/**
 * Ends a SELECT that locks its rows until the commit: the first look of a write operation
 * at what it changes. Nothing on SQLite, where there is only one writer.
 *
 * @param busy `skip` leaves out rows that another transaction has locked
 */
export const forUpdate = (busy: 'wait' | 'skip' = 'wait'): string =>
  either({ sqlite: '', postgres: busy === 'skip' ? 'FOR UPDATE SKIP LOCKED' : 'FOR UPDATE' });

/** As `forUpdate`, for rows that are only read: others may read them so, and none changes them. */
export const forShare = either({ sqlite: '', postgres: 'FOR SHARE' });

/** Somebody wants the run stopped, for whatever reason. */
export const stopRequested =
  'coalesce(cancel_requested_at, pause_requested_at, timed_out_at) IS NOT NULL';

/** Part of a statement for masters that share a database; nothing on SQLite, which has one. */
export const inCluster = (text: string): string => either({ sqlite: '', postgres: text });

/** A lease is watched by @master; null: there is one master, and every lease is its own. */
export const ofMaster = inCluster(
  'AND (CAST(@master AS bigint) IS NULL OR leases.master = @master)',
);

/** A lease with what its watcher needs to know of the job. */
export const leaseRows = `
  SELECT job_id, leases.attempt, leases.fence, leases.bot_id, campaign, ttl_ms, pulled,
    timed_out_at, queue_id, target_sha256, project, target_name, engine, fuzz_within_ms, spent_ms,
    acknowledged_at, ${flag(stopRequested)} AS stop_requested
  FROM leases JOIN jobs ON jobs.id = job_id`;
