import { readOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';

export const getJob = readOperation('get_job', (db) => {
  const select = db.prepare<[string], JobRow>(`SELECT ${jobColumns} FROM jobs WHERE id = ?`);
  return (id: string): JobRow | undefined => select.get(id);
});
