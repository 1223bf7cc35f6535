import { readOperation } from '../../operation.js';
import { type CrashRow, crashColumns } from '../../rows.js';

export const getCrash = readOperation('get_crash', (db) => {
  const select = db.prepare<[string], CrashRow & { report: string }>(
    `SELECT ${crashColumns}, report FROM crashes WHERE id = ?`,
  );
  return (id: string) => select.get(id);
});
