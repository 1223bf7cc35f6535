import { QuotaError } from '../core/errors.js';
import { one, type Steps, statement } from './statement.js';

const count = statement<{ name: string }, { value: number | null }>(
  'SELECT CAST(sum(value) AS BIGINT) AS value FROM counters WHERE name = @name',
);

/** How many there may be of something, and what to do about it. */
export interface Quota {
  readonly most: number;
  /** Name of the setting. */
  readonly setting: string;
  readonly whatToDo: string;
}

/** After a row was added. @throws QuotaError when there are more than there may be */
export function* expectWithin(name: 'bots' | 'artifacts', quota: Quota): Steps<void> {
  const { most, setting, whatToDo } = quota;
  const value = (yield* one(count, { name }))?.value ?? 0;
  if (value <= most) return;
  const why = `there are ${most} ${name} already (${setting}): ${whatToDo}`;
  throw new QuotaError({ subject: setting, why });
}
