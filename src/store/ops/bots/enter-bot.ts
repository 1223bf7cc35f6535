import { writeOperation } from '../../operation.js';
import type { LeaseRow } from '../../rows.js';
import { leaseRows } from '../../sql.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { regainBot } from './mark-lost.js';

/*
 * Of masters that share a database. SQLite has one, whose memory knows which stream of a bot is
 * the newest: it runs none of this.
 */

export interface EnterBot {
  botId: string;
  /** Of the bot's process. */
  instanceId: string;
  /** The process counts its streams; 0: it does not. */
  stream: number;
  master: number;
  /** A process that was seen since then is live, ms since 1970. */
  liveSince: number;
  now: number;
}

export interface EnteredBot {
  /**
   * taken: the stream is this master's. late: a newer stream of the same process is with
   * another master. rival: another process of this bot is live there.
   */
  readonly as: 'taken' | 'late' | 'rival';
  /** All leases of the bot, which are watched by this master from now on. */
  readonly leases: readonly LeaseRow[];
}

interface Known {
  master: number | null;
  instance: string | null;
  stream: number;
  last_seen_at: number;
  lost_at: number | null;
  /** Its master is there. */
  is_there: boolean;
}

const known = statement<{ botId: string }, Known>({
  sqlite: null,
  postgres: `SELECT master, instance, stream, last_seen_at, lost_at,
      EXISTS (SELECT 1 FROM masters WHERE masters.id = bots.master) AS is_there
    FROM bots WHERE id = @botId FOR UPDATE`,
});
const take = statement<EnterBot>({
  sqlite: null,
  postgres: `UPDATE bots SET master = @master, instance = @instanceId, stream = @stream
    WHERE id = @botId`,
});
const takeLeases = statement<EnterBot>({
  sqlite: null,
  postgres: 'UPDATE leases SET master = @master WHERE bot_id = @botId AND master <> @master',
});
const leasesOf = statement<{ botId: string }, LeaseRow>({
  sqlite: null,
  postgres: `${leaseRows} WHERE leases.bot_id = @botId ORDER BY job_id`,
});

/**
 * A bot has said Hello: its stream and its leases come to this master, wherever they were. A
 * master that runs this late, for a stream that has a successor elsewhere, changes nothing.
 */
export const enterBot = writeOperation(
  'enter_bot',
  'result',
  function* (input: EnterBot): Steps<EnteredBot> {
    const before = yield* one(known, input);
    const as = before ? standing(before, input) : 'taken';
    if (as !== 'taken') return { as, leases: [] };
    yield* run(take, input);
    if (before?.lost_at) yield* regainBot(input.botId, input.now);
    yield* run(takeLeases, input);
    return { as, leases: yield* all(leasesOf, input) };
  },
);

function standing(before: Known, { instanceId, stream, master, liveSince }: EnterBot) {
  const isElsewhere = before.is_there && before.master !== master;
  if (before.instance === instanceId) {
    return stream > 0 && before.stream > stream ? 'late' : 'taken';
  }
  return isElsewhere && before.last_seen_at > liveSince ? 'rival' : 'taken';
}

interface LeaveBot {
  botId: string;
  instanceId: string;
  stream: number;
  master: number;
}

const leave = statement<LeaveBot>({
  sqlite: null,
  postgres: `UPDATE bots SET master = NULL
    WHERE id = @botId AND master = @master AND instance = @instanceId AND stream = @stream`,
});

/** The stream of a bot has ended at this master, and no other one has it. */
export const leaveBot = writeOperation(
  'leave_bot',
  'upkeep',
  function* (input: LeaveBot): Steps<void> {
    yield* run(leave, input);
  },
);
