import { readOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { one, statement } from '../../statement.js';

const select = statement<{ id: string }, JobRow>(`SELECT ${jobColumns} FROM jobs WHERE id = @id`);

export const getJob = readOperation('get_job', (id: string) => one(select, { id }));
