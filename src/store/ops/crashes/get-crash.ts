import { readOperation } from '../../operation.js';
import { type CrashRow, crashColumns } from '../../rows.js';
import { one, statement } from '../../statement.js';

const select = statement<{ id: string }, CrashRow & { report: string }>(
  `SELECT ${crashColumns}, report FROM crashes WHERE id = @id`,
);

export const getCrash = readOperation('get_crash', (id: string) => one(select, { id }));
