import { run, type Steps, statement } from '../../statement.js';

const insert = statement<{ groupId: string; kind: string; sourceId: string }>(`
  INSERT INTO group_sources (group_id, kind, source_id) VALUES (@groupId, @kind, @sourceId)
  ON CONFLICT DO NOTHING`);
const count = {
  job: statement<{ groupId: string }>(
    'UPDATE crash_groups SET jobs = jobs + 1 WHERE id = @groupId',
  ),
  bot: statement<{ groupId: string }>(
    'UPDATE crash_groups SET bots = bots + 1 WHERE id = @groupId',
  ),
  build: statement<{ groupId: string }>(
    'UPDATE crash_groups SET builds = builds + 1 WHERE id = @groupId',
  ),
};

/** Notes a job, a bot or a build that met a group, and counts it if it is new. */
export function* addSource(
  groupId: string,
  kind: keyof typeof count,
  sourceId: string,
): Steps<void> {
  const added = yield* run(insert, { groupId, kind, sourceId });
  if (added > 0) yield* run(count[kind], { groupId });
}
