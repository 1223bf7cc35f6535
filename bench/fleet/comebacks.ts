import { setTimeout as sleep } from 'node:timers/promises';
import { count, ofOne, ofTimes } from '../figure.js';
import { every, until } from '../measure.js';
import { watch } from '../watch.js';
import type { Crew } from './crew.js';

/** Share of the bots that lose their connection each second in `reconnects`. */
const share = 0.02;
/** Of the bots: those that vanish, and as many that wait. */
const lostShare = 0.4;

/** All connections are cut at once, with no goodbye, and all bots come back. */
export async function storm(crew: Crew) {
  const { result, lost } = await comeback(crew, crew.members.length, () =>
    watch(crew.stage.master, 'storm', async () => {
      for (const member of crew.members) member.lose();
      await crew.allBack();
    }),
  );
  const detail = `a connection each, first tries within 250 ms, as our bots do; ${result.words}`;
  return { storm: ofOne(result.seconds, detail), stormLost: lost };
}

/** The master is restarted while jobs run, by `start`. */
export async function restart(crew: Crew, start: () => Promise<void>) {
  const startedAt = performance.now();
  const since = () => (performance.now() - startedAt) / 1000;
  const { result, lost } = await comeback(crew, crew.members.length, async () => {
    await start();
    const down = since().toFixed(1);
    const { words } = await watch(crew.stage.master, 'restart', () => crew.allBack());
    const detail = `from the signal to stop; ${down} s of it until the new one was ready; ${words}`;
    return ofOne(since(), detail);
  });
  return { restart: result, restartLost: lost };
}

/** All beat, and every second some of them lose their connection and come back. */
export async function reconnects(crew: Crew) {
  const { members, stage } = crew;
  const forMs = 10_000 * stage.bench.scale;
  const perSecond = members.length * share;
  const total = Math.round((perSecond * forMs) / 1000);
  const { result, lost } = await comeback(crew, total, () =>
    watch(crew.stage.master, 'reconnects', async () => {
      // Every seventh, so that it is not always neighbours; 7 and their number have to be coprime.
      const stop = every(perSecond, (index) => {
        if (index < total) members[(index * 7) % members.length]?.lose();
      });
      await sleep(forMs);
      await crew.allBack(total).finally(stop);
    }),
  );
  const { percentiles } = crew.answers;
  const detail = `${count(percentiles.count)} beats; ${result.words}`;
  return { reconnectAcks: ofTimes(percentiles, detail), reconnectLost: lost };
}

/** Does `work`, in which bots come back so often. `lost`: jobs, or runs begun a second time. */
async function comeback<T>(crew: Crew, comebacks: number, work: () => Promise<T>) {
  const runsBefore = crew.ledger().runs;
  crew.recount();
  const result = await work();
  const again = crew.ledger().runs - runsBefore;
  const detail = `${count(crew.kept)} of ${count(comebacks)} kept; ${again} runs more`;
  return { result, lost: ofOne(comebacks - crew.kept + again, detail) };
}

/**
 * Two fifths of the bots have finished their jobs and wait; as many vanish for longer
 * than the TTL. Their jobs go to those that wait, while the others beat on. Then they
 * come back with leases that are no longer theirs, and with results.
 */
export async function losses(crew: Crew, ttlMs: number) {
  const { members } = crew;
  const total = Math.floor(members.length * lostShare);
  const [idle, gone] = [members.slice(0, total), members.slice(-total)];
  await crew.finish(idle);
  for (const { bot } of idle) bot.beat(); // their slots are free

  const stale = gone.flatMap((member) => (member.lease ? [{ member, lease: member.lease }] : []));
  const waiting = new Set(stale.map(({ lease }) => lease.jobId));
  crew.onAssigned = ({ jobId }) => waiting.delete(jobId);
  const lostBefore = crew.ledger().lostRuns;
  const { seconds, words } = await watch(crew.stage.master, 'losses', async () => {
    for (const member of gone) member.vanish();
    await sleep(1000); // their connections end, which costs as much as in a storm
    crew.recount();
    await until('others have their jobs', () => waiting.size === 0);
  });
  const acks = crew.answers.percentiles;

  crew.recount();
  for (const member of gone) member.come();
  await crew.allBack(gone.length);
  const { abandoned } = crew;
  const answers = await Promise.all(stale.map(({ member, lease }) => member.finish(lease)));
  const refused = answers.filter((reason) => reason === 'STALE_LEASE').length;

  await crew.finish();
  const { jobs, completedJobs, completedRuns, lostRuns, charged } = crew.ledger();
  const lost = lostRuns - lostBefore;
  const twiceOrNever = jobs - completedJobs + Math.abs(completedRuns - jobs);
  const otherLosses = Math.abs(lost - stale.length);
  const tooLate = crew.kept + (stale.length - abandoned) + (stale.length - refused);
  const byDatabase = `${count(jobs)} jobs, ${count(completedRuns)} results, ${count(lost)} runs lost`;
  const leases = `with leases of ${ttlMs / 1000} s`;
  return {
    vanished: ofOne(seconds, `${count(total)} of ${count(members.length)}, ${leases}; ${words}`),
    vanishedAcks: ofTimes(acks, `${count(acks.count)} beats from a second later on`),
    tooLate: ofOne(tooLate, `${abandoned} to be given up, ${refused} results too late`),
    notOnce: ofOne(twiceOrNever + otherLosses + charged, `${byDatabase}, ${charged} charged`),
  };
}
