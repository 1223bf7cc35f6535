import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { append } from './append-audit.js';

interface PruneAudit {
  /** Entries from before this time go. */
  olderThan: number;
  /** Entries that stay, at most. */
  keep: number;
  /** Entries in one write, at most. */
  limit: number;
  /** Whether the cut has begun with an earlier write: it goes on to the bounds themselves. */
  isBegun: boolean;
  now: number;
}

interface End {
  sequence: number;
  time: number;
  hash: string;
}

const first = statement<object, End>(
  'SELECT sequence, time, hash FROM audit WHERE sequence > 0 ORDER BY sequence LIMIT 1',
);
const last = statement<object, End>(
  'SELECT sequence, time, hash FROM audit WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1',
);
const lastBefore = statement<{ olderThan: number }, { sequence: number }>(`
  SELECT sequence FROM audit WHERE time < @olderThan ORDER BY time DESC, sequence DESC LIMIT 1`);
const bySequence = statement<{ sequence: number }, End>(
  'SELECT sequence, time, hash FROM audit WHERE sequence = @sequence',
);
const remove = statement<{ sequence: number }>('DELETE FROM audit WHERE sequence <= @sequence');

/** A cut begins once the log has this share, or time, more than it may, so that cuts are rare. */
const slack = { share: 0.1, ms: 86_400_000 };

/**
 * Deletes the oldest entries, once it is worth it, down to what may stay. The cut is an entry itself, with number
 * and hash of the last one that went: the first that stayed goes on from there, so the chain
 * can be verified as before.
 *
 * @returns how many were deleted
 */
export const pruneAudit = writeOperation(
  'prune_audit',
  'upkeep',
  function* ({ olderThan, keep, limit, isBegun, now }: PruneAudit): Steps<number> {
    const from = yield* one(first, {});
    const to = yield* one(last, {});
    if (!from || !to) return 0;
    const over = isBegun ? { share: 0, ms: 0 } : slack;
    const isOld = from.time < olderThan - over.ms;
    const isLong = to.sequence - from.sequence >= keep + Math.floor(keep * over.share);
    if (!isOld && !isLong) return 0;
    const byAge = (yield* one(lastBefore, { olderThan }))?.sequence ?? 0;
    // The cut is an entry, too.
    const byCount = isLong ? to.sequence + 1 - keep : 0;
    const most = Math.min(from.sequence + limit, to.sequence) - 1;
    const cut = yield* one(bySequence, { sequence: Math.min(Math.max(byAge, byCount), most) });
    if (!cut) return 0;
    const removed = yield* run(remove, { sequence: cut.sequence });
    yield* append({
      ...{ kind: 'cut', time: now, method: '', caller: 'master', tokenId: '', role: '' },
      ...{ address: '', requestId: '', outcome: 'OK', count: 1 },
      about: [
        ['sequence', String(cut.sequence)],
        ['hash', cut.hash],
      ],
    });
    return removed;
  },
);
