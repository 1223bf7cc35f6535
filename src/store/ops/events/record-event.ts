import { run, type Step, statement } from '../../statement.js';

const insert = statement<{ now: number; kind: string; subject: string; detail: string }>(
  'INSERT INTO events (time, kind, subject, detail) VALUES (@now, @kind, @subject, @detail)',
);

/**
 * Appends to the log of events. A step of the write operations, so that an event and its
 * change are on disk together or not at all.
 */
export const recordEvent = (
  now: number,
  kind: string,
  subject: string,
  detail: object = {},
): Step<number> => run(insert, { now, kind, subject, detail: JSON.stringify(detail) });
