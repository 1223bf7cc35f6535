import { setTimeout as sleep } from 'node:timers/promises';
import { count, median, ofOne, ofRounds, percent } from '../figure.js';
import { Squad } from '../fleet/crew.js';
import { Latencies } from '../latencies.js';
import { every, until } from '../measure.js';
import { watch } from '../watch.js';
import { runScenario } from './ghz.js';
import type { Stocked } from './stocked.js';

/**
 * A second at level 1: 5,000 bots that beat every 5 s, each done with a job every two
 * minutes and a crash found every four; new jobs; three dozen operators, who read lists
 * and single jobs.
 */
const perSecond = { beats: 1000, results: 40, crashes: 20 };
const calls = {
  'create-job': 40,
  'get-job': 40,
  'list-jobs': 20,
  'list-crashes': 10,
  'get-system-stats': 10,
};
/** They stand for the 5,000, and beat as often as those do together. */
const streams = 500;
/** Until programs are started: this thread stands still meanwhile, and would call that latency. */
const startMs = 300;
/** Still fine: so much of everything is answered, and beats are acknowledged in this time. */
const leastServed = 0.95;
const slowestMs = 50;

async function startTraffic({ stage, requests, sendCrash }: Stocked) {
  const { master, connection } = stage;
  let [acks, holding] = [new Latencies(), 0];
  const squad = new Squad(master.address, await stage.registerBots(streams), 1, {
    assigned: () => holding++,
    answered: (_, sentAtMs) => acks.recordSince(...sentAtMs),
    done: (bot) => bot.beat(), // announces the slot that is free
  });
  await until('every bot has a job', () => holding >= streams);
  const watching = connection.jobs.watchJobs({ cursor: 0, jobId: '' }).resume();
  watching.on('error', () => {}); // of being cancelled at the end
  const call = async (scenario: string, rate: number, seconds: number) => {
    const changes = { data: requests[scenario], rate, seconds, concurrency: 20, yields: true };
    const { ok } = await runScenario(master.address, scenario, changes);
    // Two may be under way as the time is over: of few, that is much.
    return (ok + 2) / (rate * seconds);
  };
  /** Times from beats to their acknowledgements, p99, and the share answered of the worst call. */
  const run = async (level: number, seconds: number) => {
    const shares = Object.entries(calls).map(([scenario, often]) =>
      call(scenario, often * level, seconds + startMs / 1000),
    );
    await sleep(startMs);
    acks = new Latencies();
    const crashes: Promise<unknown>[] = [];
    const ends = [
      every(perSecond.beats * level, (index) => squad.bot(index).beat()),
      every(perSecond.results * level, (index) => squad.bot(index * 7).finishAll()),
      every(perSecond.crashes * level, () => crashes.push(sendCrash())),
    ];
    await sleep(seconds * 1000);
    for (const end of ends) end();
    await Promise.all(crashes);
    const share = Math.min(...(await Promise.all(shares)), 1);
    return { ackMs: acks.percentiles.p99, share };
  };
  const stop = () => {
    watching.cancel();
    squad.close();
  };
  return { run, stop };
}

/** A whole fleet's traffic, at four fifths of what the master can take. */
export async function mixedTraffic(stocked: Stocked) {
  const { bench, master } = stocked.stage;
  const { run, stop } = await startTraffic(stocked);
  await run(1, 1); // until code is warm
  bench.say('mixed traffic: where the knee is');
  const [growth, seconds, attempts] = bench.scale < 1 ? [2, 0.5, 1] : [1.25, 2, 2];
  let [knee, isFine] = [1, true];
  const tried: string[] = [];
  for (let level = 1; isFine && level <= 64; level *= growth) {
    isFine = false;
    // Once more where it was too much: a single run may have had bad luck.
    for (let attempt = 0; attempt < attempts && !isFine; attempt++) {
      const { ackMs, share } = await run(level, seconds);
      tried.push(`${level.toFixed(1)}: ${ackMs.toFixed(0)} ms, ${percent(share)}`);
      isFine = ackMs < slowestMs && share >= leastServed;
    }
    if (isFine) knee = level;
  }
  const level = 0.8 * knee;
  const rounds: Record<'ackMs' | 'share' | 'busy' | 'delayMs', number>[] = [];
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`mixed traffic at 80 %, round ${round} of ${bench.rounds}`);
    const work = () => run(level, Math.max(5 * bench.scale, 1));
    const { result, busy, loopDelay } = await watch(master, 'mixed traffic at 80 %', work);
    rounds.push({ ...result, busy, delayMs: loopDelay.p99 });
  }
  stop();
  const of = (key: keyof (typeof rounds)[number]) => rounds.map((round) => round[key]);
  const load = `${count(5000 * level)} bots and their operators, ${count(120 * level)} calls and ${count(20 * level)} crashes a second, ${percent(median(of('share')))} answered at least`;
  return {
    mixedAcks: ofRounds(of('ackMs'), `${load}; its core ${percent(median(of('busy')))} busy`),
    mixedLoopDelay: ofRounds(of('delayMs'), 'in the same rounds'),
    knee: ofOne(knee, `acknowledgement p99 and share answered by level: ${tried.join(', ')}`),
  };
}
