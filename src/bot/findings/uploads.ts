import { status as Code } from '@grpc/grpc-js';
import type { Connection } from '../../client/connect.js';
import { failureOf } from '../../client/failure.js';
import { reportCrash } from '../../client/transfer.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { codeOf, messageOf, StalledError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { backoffMs } from '../../core/retry.js';
import { Standstill } from '../../core/standstill.js';
import type { Spool, SpoolEntry } from './spool.js';

const backoff = { firstDelayMs: 250, maxDelayMs: 15_000, multiplier: 2 } as const;

/** An answer that ought to pass, and did not in this many tries, is taken for a refusal. */
const mostAnswers = 20;
/** The same for other bytes than announced: the input on this disk is damaged. */
const mostDamaged = 3;

type Verdict = 'acknowledged' | 'refused' | 'later' | 'away';

/**
 * Sends what is in the spool, oldest first, until the signal aborts. A crash
 * the master cannot take now does not hold up the others; while no master
 * answers, nothing is tried twice in a row.
 */
export async function sendSpool(
  spool: Spool,
  connection: Connection,
  options: { log: Logger; signal: AbortSignal; clock?: Clock; random?: () => number },
): Promise<void> {
  const { log, signal, clock = systemClock } = options;
  const answers = new Map<string, number>();
  let failedRounds = 0;
  const standstill = new Standstill(clock, (why, forMs) =>
    log.warn({ why, forMs, waiting: spool.entries.length }, 'crash uploads stand still'),
  );
  while (!signal.aborted) {
    const changed = spool.changed(signal);
    let isStuck = false;
    for (const entry of spool.entries) {
      const verdict = await send(entry).catch((error) => {
        log.error({ err: error, crash: entry.id }, 'crash upload failed');
        return 'later' as const;
      });
      if (signal.aborted) return;
      isStuck ||= verdict === 'later' || verdict === 'away';
      if (verdict === 'away') break;
    }
    failedRounds = isStuck ? failedRounds + 1 : 0;
    if (!isStuck) standstill.gotFurther();
    if (!isStuck) await changed;
    else await nudgedWithin(backoffMs(backoff, failedRounds, options.random));
  }

  /** A new crash, or word that the master is back, ends the wait early. */
  async function nudgedWithin(delayMs: number): Promise<void> {
    const timer = clock.schedule(delayMs, () => spool.nudge());
    await spool.changed(signal);
    timer.cancel();
  }

  async function send(entry: SpoolEntry): Promise<Verdict> {
    try {
      const answer = await reportCrash(connection, entry.report, entry.input, { signal });
      log.info(
        { jobId: entry.report.lease?.jobId, crashId: answer.crashId, newGroup: answer.newGroup },
        answer.duplicate ? 'crash known' : 'crash reported',
      );
      await spool.acknowledged(entry, answer.crashId, answer.groupId);
      return 'acknowledged';
    } catch (error) {
      if (signal.aborted) return 'away';
      const count = (answers.get(entry.id) ?? 0) + 1;
      const verdict = judge(error, count);
      if (verdict === 'later') answers.set(entry.id, count);
      else answers.delete(entry.id);
      if (verdict === 'refused') await spool.refused(entry, messageOf(error));
      else {
        log.debug({ why: messageOf(error), verdict }, 'crash upload postponed');
        standstill.failed(messageOf(error));
      }
      return verdict;
    }
  }
}

const final = new Set([
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.FAILED_PRECONDITION,
  Code.OUT_OF_RANGE,
  Code.ALREADY_EXISTS,
  Code.UNIMPLEMENTED,
]);

function judge(error: unknown, answers: number): Verdict {
  if (error instanceof StalledError) return 'away';
  const failure = failureOf(error);
  // The input cannot be read here any more.
  if (!failure) return codeOf(error) === 'ENOENT' || answers >= mostAnswers ? 'refused' : 'later';
  if (final.has(failure.code)) return 'refused';
  // A full disk says when to come again; what is too large does not.
  if (failure.code === Code.RESOURCE_EXHAUSTED && failure.retryAfterMs === undefined) {
    return 'refused';
  }
  const isAway = [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED].includes(failure.code);
  if (isAway) return 'away';
  const most = failure.code === Code.DATA_LOSS ? mostDamaged : mostAnswers;
  return answers >= most && failure.retryAfterMs === undefined ? 'refused' : 'later';
}
