import { join } from 'node:path';
import Database from 'better-sqlite3';

/** The id of one of the jobs of `fill`: they sort before those of any master. */
export const idOf = (index: number): string =>
  `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;

/**
 * Jobs by the hundred thousand that wait, past the store and while nobody has the
 * file open: what matters is that they are there. The target has to be there already; with
 * several `targets` their names are numbered.
 */
export function fill(
  directory: string,
  count: number,
  job: { engine: string; targetSha256: string; targetName: string; spec: string },
  targets = 1,
): void {
  const db = new Database(join(directory, 'pandafuzz.db'));
  db.pragma('synchronous = OFF');
  const { engine } = job;
  db.prepare(
    `INSERT INTO queues (campaign, engine, labels, memory_mib, disk_mib) VALUES ('', ?, '{}', 0, 0)
     ON CONFLICT DO NOTHING`,
  ).run(engine);
  db.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @count)
     INSERT INTO jobs (id, state, queue_id, campaign, engine, priority, target_sha256, target_name,
       max_attempts, created_at, spec)
     SELECT printf('00000000-0000-7000-8000-%012d', i), 'pending', queues.id, '', @engine, i % 10,
       @targetSha256, @targetName || CASE @targets WHEN 1 THEN '' ELSE '-' || i % @targets END, 3, i, @spec
     FROM n, (SELECT id FROM queues WHERE campaign = '' AND engine = @engine AND labels = '{}') AS queues`,
  ).run({ count, targets, ...job });
  db.close();
}

/** Bots that are known and away: copies of the first one that registered. */
export function fillBots(directory: string, count: number): void {
  const db = new Database(join(directory, 'pandafuzz.db'));
  db.pragma('synchronous = OFF');
  const same = columnsOf(db, 'bots', ['id', 'name', 'identity']);
  db.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @count)
     INSERT INTO bots (id, name, identity, ${same})
     SELECT printf('00000000-0000-7000-9000-%012d', i), 'away-' || i, NULL, ${same}
     FROM n, (SELECT * FROM bots ORDER BY id LIMIT 1) WHERE @count > 0`,
  ).run({ count });
  db.close();
}

/** Targets of the names that `fill` gives, each with a day of coverage by ten minutes. */
export function fillTargets(directory: string, name: string, count: number, now: number): void {
  const db = new Database(join(directory, 'pandafuzz.db'));
  db.pragma('synchronous = OFF');
  db.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < @count - 1)
     INSERT INTO targets (project, name, builds)
     SELECT 'default', @name || '-' || i, 1 FROM n`,
  ).run({ name, count });
  db.prepare(
    `WITH RECURSIVE t (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM t WHERE k < 143)
     INSERT INTO series (subject, engine, step_s, time, looks, rate_sum, rate_min, rate_max,
       running_sum, executions, fuzzed_ms, crash_hits, new_groups, coverage, features, corpus_files,
       corpus_bytes, peak_memory_bytes)
     SELECT 'target ' || project || '/' || name, 'libfuzzer', 600, (@slot - k) * 600000, 1, 0, 0, 0,
       0, 0, 0, 0, 0, 9000 - k, 0, 0, 0, 0
     FROM targets, t WHERE name <> @name`,
  ).run({ name, slot: Math.floor(now / 600_000) });
  db.close();
}

const columnsOf = (db: Database.Database, table: string, without: readonly string[]): string =>
  (db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[])
    .filter((column) => !without.includes(column))
    .join(', ');
