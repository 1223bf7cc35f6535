import { writeOperation } from '../../operation.js';

/** What was heard in beats since the last flush: one UPDATE a bot, one a lease. */
export const flushBeats = writeOperation('flush_beats', 'beats', (db) => {
  const see = db.prepare<[number, string]>(
    'UPDATE bots SET last_seen_at = max(last_seen_at, ?) WHERE id = ?',
  );
  const progress = db.prepare<[string, string, number]>(
    `UPDATE jobs SET statistics = ? WHERE id = ? AND fence = ? AND finished_at IS NULL`,
  );
  return (input: {
    bots: readonly { id: string; lastSeenAt: number }[];
    runs: readonly { jobId: string; fence: number; statistics: string }[];
  }): void => {
    for (const bot of input.bots) see.run(bot.lastSeenAt, bot.id);
    for (const run of input.runs) progress.run(run.statistics, run.jobId, run.fence);
  };
});
