import { setTimeout as sleep } from 'node:timers/promises';
import { count, ofOne, ofTimes } from '../figure.js';
import { until } from '../measure.js';
import { watch } from '../watch.js';
import type { Crew } from './crew.js';

/** For their connections to end, which costs as much as in a storm. */
const afterLossMs = 1000;
/** Of the bots: those that vanish, and as many that wait. */
const share = 0.4;

/**
 * Two fifths of the bots have finished their jobs and wait; as many vanish for longer
 * than the TTL. Their jobs go to those that wait, while the others beat on. Then they
 * come back with leases that are no longer theirs, and with results.
 */
export async function losses(crew: Crew, ttlMs: number) {
  const { members } = crew;
  const total = Math.floor(members.length * share);
  const [idle, gone] = [members.slice(0, total), members.slice(-total)];
  await crew.finish(idle);
  for (const { bot } of idle) bot.beat(); // their slots are free

  const stale = gone.flatMap((member) => (member.lease ? [{ member, lease: member.lease }] : []));
  const waiting = new Set(stale.map(({ lease }) => lease.jobId));
  crew.onAssigned = ({ jobId }) => waiting.delete(jobId);
  const lostBefore = crew.ledger().lostRuns;
  const { seconds, words } = await watch(crew.stage.master, 'losses', async () => {
    for (const member of gone) member.vanish();
    await sleep(afterLossMs);
    crew.recount();
    await until('others have their jobs', () => waiting.size === 0);
  });
  const acks = crew.answers.percentiles;

  crew.recount();
  for (const member of gone) member.come();
  await crew.allBack(gone.length);
  const { kept, abandoned } = crew;
  const answers = await Promise.all(stale.map(({ member, lease }) => member.finish(lease)));
  const refused = answers.filter((reason) => reason === 'STALE_LEASE').length;

  await crew.finish();
  const { jobs, completedJobs, completedRuns, lostRuns, charged } = crew.ledger();
  const lost = lostRuns - lostBefore;
  const twiceOrNever = jobs - completedJobs + Math.abs(completedRuns - jobs);
  const otherLosses = Math.abs(lost - stale.length);
  const leases = `with leases of ${ttlMs / 1000} s`;
  return {
    vanished: ofOne(seconds, `${count(total)} of ${count(members.length)}, ${leases}; ${words}`),
    vanishedAcks: ofTimes(acks, `${count(acks.count)} beats from a second later on`),
    tooLate: ofOne(
      kept + (stale.length - abandoned) + (stale.length - refused),
      `${abandoned} to be given up, ${refused} late results answered STALE_LEASE`,
    ),
    notOnce: ofOne(
      twiceOrNever + otherLosses + charged,
      `of ${count(jobs)} jobs, by the database: ${count(completedRuns)} results, ${count(lost)} runs lost, ${charged} attempts charged`,
    ),
  };
}
