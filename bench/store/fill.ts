import { join } from 'node:path';
import Database from 'better-sqlite3';

/** The id of one of the jobs of `fill`: they sort before those of any master. */
export const idOf = (index: number): string =>
  `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;

/**
 * Jobs by the hundred thousand that wait, past the store and while nobody has the
 * file open: what matters is that they are there. The target has to be there already.
 */
export function fill(
  directory: string,
  count: number,
  job: { engine: string; targetSha256: string; targetName: string; spec: string },
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
       @targetSha256, @targetName, 3, i, @spec
     FROM n, (SELECT id FROM queues WHERE campaign = '' AND engine = @engine AND labels = '{}') AS queues`,
  ).run({ count, ...job });
  db.close();
}

/** Bots that are known and away: copies of the first one that registered. */
export function fillBots(directory: string, count: number): void {
  const db = new Database(join(directory, 'pandafuzz.db'));
  db.pragma('synchronous = OFF');
  const columns = db
    .prepare("SELECT name FROM pragma_table_info('bots')")
    .pluck()
    .all() as string[];
  const own = ['id', 'name', 'identity'];
  const same = columns.filter((name) => !own.includes(name)).join(', ');
  db.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @count)
     INSERT INTO bots (id, name, identity, ${same})
     SELECT printf('00000000-0000-7000-9000-%012d', i), 'away-' || i, NULL, ${same}
     FROM n, (SELECT * FROM bots ORDER BY id LIMIT 1) WHERE @count > 0`,
  ).run({ count });
  db.close();
}
