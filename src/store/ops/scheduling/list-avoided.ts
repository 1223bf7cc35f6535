import { pageOperation } from '../../operation.js';
import type { AvoidedRow } from '../../rows.js';
import { all, statement } from '../../statement.js';

const columns = 'bot_id, job_id, tries, active, until_at, message';
const ofJob = statement<{ jobId: string; limit: number }, AvoidedRow>(`
  SELECT ${columns} FROM avoided WHERE job_id = @jobId AND active = 1 LIMIT @limit`);
const bots = statement<{ afterBotId: string; limit: number }, { bot_id: string }>(`
  SELECT DISTINCT bot_id FROM avoided
  WHERE active = 1 AND bot_id > @afterBotId ORDER BY bot_id LIMIT @limit`);

/** Bots that a job avoids. */
export const listAvoided = pageOperation(
  'list_avoided',
  (input: { jobId: string; limit: number }) => all(ofJob, input),
);

/** Bots that some job avoids, by id. */
export const listAvoidedBots = pageOperation(
  'list_avoided_bots',
  (page: { afterBotId: string; limit: number }) => all(bots, page),
);
