import { writeOperation } from '../../operation.js';

/** A write like any other, to see whether writing works. */
export const markAlive = writeOperation('mark_alive', 'work', (db) => {
  const mark = db.prepare<[number]>('UPDATE vitals SET written_at = ? WHERE id = 1');
  return (now: number): void => {
    mark.run(now);
  };
});
