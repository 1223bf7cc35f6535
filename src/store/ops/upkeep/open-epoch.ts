import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';

/** Fences of a job in one epoch: 2^26, so that 2^53 has room for an epoch a minute for 250 years. */
const fencesOfAnEpoch = 2 ** 26;
const firstMinute = Date.UTC(2026, 0, 1) / 60_000;

interface EpochRow {
  number: number;
  witnessed: 0 | 1;
  is_copy: 0 | 1;
  marks: number;
}

interface OpenEpoch {
  /** What the file beside the database says; null: there is none. */
  seen: { readonly epoch: number; readonly marks: number } | null;
  /** Other masters have the database, too: a master without such a file is a new one. */
  isShared?: boolean;
  now: number;
}

export interface OpenedEpoch {
  epoch: number;
  marks: number;
  /** The database was put back: a new epoch has begun. */
  isRestored: boolean;
}

const select = statement<object, EpochRow>(`
  SELECT number, witnessed, is_copy, marks FROM epochs JOIN vitals ON vitals.id = epochs.id
  WHERE epochs.id = 1`);
const update = statement<{ number: number; base: number }>(`
  UPDATE epochs SET number = @number, fence_base = @base, witnessed = 1, is_copy = 0
  WHERE id = 1`);

/**
 * Finds out whether the database is an earlier state put back, and then begins a new epoch:
 * every fence from now on is above every one that was given out, by whichever state of it.
 * The number comes from the clock, as other machines may have gone on from the same copy;
 * it rises in any case.
 */
export const openEpoch = writeOperation(
  'open_epoch',
  'work',
  function* ({ seen, isShared = false, now }: OpenEpoch): Steps<OpenedEpoch> {
    const row = (yield* one(select, {})) as EpochRow;
    const isRestored = !(isShared && seen === null) && wasPutBack(row, seen);
    const minutes = Math.max(0, Math.floor(now / 60_000) - firstMinute);
    const next = Math.max(row.number + 1, (seen?.epoch ?? 0) + 1, minutes);
    const epoch = isRestored ? next : row.number;
    yield* run(update, { number: epoch, base: epoch * fencesOfAnEpoch });
    return { epoch, marks: row.marks, isRestored };
  },
);

function wasPutBack(row: EpochRow, seen: OpenEpoch['seen']): boolean {
  if (row.is_copy === 1) return true;
  // Of a version that wrote no such file, or new; a file without it is of a later state.
  if (row.witnessed === 0) return seen !== null;
  return seen === null || seen.marks > row.marks || seen.epoch > row.number;
}
