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

/** Notes the job, the bot and the build that met a group, and counts those that are new. */
export function* addSources(
  groupId: string,
  sources: Readonly<Record<keyof typeof count, string>>,
): Steps<void> {
  for (const kind of ['job', 'bot', 'build'] as const) {
    const added = yield* run(insert, { groupId, kind, sourceId: sources[kind] });
    if (added > 0) yield* run(count[kind], { groupId });
  }
}
