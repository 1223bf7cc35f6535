import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../measure.js';
import { inWords, watchVitals } from '../vitals.js';
import { ledgerIn } from './ledger.js';
import { below, type Scene } from './scene.js';

/** Over the TTL: for the last beat's way and for taking back and handing out so many. */
const slackMs = 5000;

/** For their connections to end, which costs what it costs in a storm. */
const afterLossMs = 1000;

/** Of the bots: those that vanish, and as many that wait. */
const share = 0.4;

/**
 * Two fifths of the bots have finished their jobs and wait; as many vanish for longer
 * than the TTL. Their jobs go to those that wait, while the others beat on. Then they
 * come back with leases that are no longer theirs, and with results.
 */
export async function losses({ master, crew, directory }: Scene, ttlMs: number): Promise<Figure[]> {
  const count = Math.floor(crew.members.length * share);
  const idle = crew.members.slice(0, count);
  const lost = crew.members.slice(-count);
  await Promise.all(idle.map((member) => member.lease && member.finish(member.lease)));
  for (const { bot } of idle) bot.beat(); // their slots are free

  const stale = lost.flatMap((member) => (member.lease ? [{ member, lease: member.lease }] : []));
  const waiting = new Set(stale.map(({ lease }) => lease.jobId));
  crew.events.on('assigned', ({ jobId }) => waiting.delete(jobId));
  const lostBefore = ledgerIn(directory).lostRuns;
  const { vitals } = await watchVitals(master, 'losses', async () => {
    for (const member of lost) member.vanish();
    await sleep(afterLossMs);
    crew.recount();
    await crew.until('others have their jobs', () => waiting.size === 0);
  });
  crew.events.removeAllListeners('assigned');
  const { percentiles } = crew.tally.answers;

  crew.recount();
  for (const member of lost) member.come();
  await crew.until('the lost are back', ({ welcomes }) => welcomes >= lost.length);
  const { kept, abandoned } = crew.tally;
  const answers = await Promise.all(stale.map(({ member, lease }) => member.finish(lease)));
  const refused = answers.filter((reason) => reason === 'STALE_LEASE').length;

  await crew.finish();
  const { jobs, completedJobs, completedRuns, lostRuns, charged } = ledgerIn(directory);
  const twiceOrNever = jobs - completedJobs + Math.abs(completedRuns - jobs);
  const otherLosses = Math.abs(lostRuns - lostBefore - stale.length);
  return [
    below(
      'bots that vanish, until the last of their jobs is handed out again',
      ...(['s', (ttlMs + slackMs) / 1000, vitals.seconds] as const),
      {
        detail: `${lost.length.toLocaleString('en')} of ${crew.members.length.toLocaleString('en')}, with leases of ${ttlMs / 1000} s; ${inWords(vitals)}`,
        vitals,
      },
    ),
    below(
      'heartbeat acknowledgement for those that stay, while their leases are taken back, p99',
      'ms',
      50,
      percentiles.p99,
      {
        detail: `${percentiles.count.toLocaleString('en')} beats from a second later on; spread: median to longest`,
        spread: [percentiles.p50, percentiles.max],
        percentiles,
      },
    ),
    below(
      'leases of bots that come back too late, not given up or their result not refused',
      ...(['leases', 1, kept + (stale.length - abandoned) + (stale.length - refused)] as const),
      { detail: `${abandoned} told to stop, ${refused} late results answered STALE_LEASE` },
    ),
    below(
      'jobs of this fleet not completed exactly once, or charged an attempt for a loss',
      ...(['jobs', 1, twiceOrNever + otherLosses + charged] as const),
      {
        detail: `of ${jobs.toLocaleString('en')} jobs, by the database: ${completedRuns.toLocaleString('en')} results, ${(lostRuns - lostBefore).toLocaleString('en')} runs lost, ${charged} attempts charged`,
      },
    ),
  ];
}
