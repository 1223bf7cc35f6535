import { setTimeout as sleep } from 'node:timers/promises';
import { type Measured, median, ofOne, ofRounds, percent } from '../figure.js';
import { countdown, Squad } from '../fleet/squad.js';
import { Latencies, type Percentiles } from '../latencies.js';
import { LoopDelay } from '../loop-delay.js';
import { every } from '../measure.js';
import { type Watched, watch } from '../watch.js';
import { runScenario } from './ghz.js';
import type { Stocked } from './stocked.js';

/**
 * A second at level 1: 5,000 bots that beat every 5 s, each done with a job every two
 * minutes and a crash found every four; new jobs; three dozen operators, who read lists
 * and single jobs.
 */
const perSecond = { beats: 1000, results: 40, crashes: 20 };
const callsPerSecond = {
  'create-job': 40,
  'get-job': 40,
  'list-jobs': 20,
  'list-crashes': 10,
  'get-system-stats': 10,
};
/** They stand for the 5,000, and beat as often as those do together. */
const streams = 500;
const watchers = 3;
/** Until programs are started: this thread stands still meanwhile, and would call that latency. */
const startMs = 300;
/** Still fine: so much of everything is done, and beats are acknowledged in this time. */
const leastServed = 0.95;
const slowestMs = 50;
const lastLevel = 64;
const shareOfKnee = 0.8;

interface Served {
  /** From beats to their acknowledgements. */
  readonly acks: Percentiles;
  /** How late this thread was: as much of the above is not the master's. */
  readonly ownDelay: Percentiles;
  /** Share answered OK of the call that did worst. */
  readonly share: number;
}

/** A whole fleet's traffic, at four fifths of what the master can take. */
export async function mixedTraffic(stocked: Stocked) {
  const { bench, master, connection } = stocked.stage;
  let acks = new Latencies();
  const holding = countdown(streams);
  const squad = new Squad(master.address, await stocked.stage.registerBots(streams), 1, {
    assigned: holding.one,
    answered(_, sentAtMs) {
      for (const at of sentAtMs) acks.record(performance.now() - at);
    },
    done: (bot) => bot.beat(), // announces the slot that is free
  });
  await holding.over;
  const feeds = Array.from({ length: watchers }, () => {
    const feed = connection.jobs.watchJobs({ cursor: 0, jobId: '' });
    return feed.on('error', () => {}).resume(); // of being cancelled at the end
  });

  const run = async (level: number, seconds: number): Promise<Served> => {
    const calls = Object.entries(callsPerSecond).map(async ([scenario, rate]) => {
      const data = stocked.requests[scenario] ?? {};
      const load = { rate: rate * level, seconds: seconds + startMs / 1000, concurrency: 20 };
      const changes = { ...load, data, yields: true };
      const { codes } = await runScenario(master.address, scenario, changes);
      // Two may be under way as the time is over: of few, that is much.
      return ((codes['OK'] ?? 0) + 2) / (load.rate * load.seconds);
    });
    await sleep(startMs);
    acks = new Latencies();
    const delay = new LoopDelay();
    const crashes: Promise<unknown>[] = [];
    await delay.watch(async () => {
      const ends = [
        every(perSecond.beats * level, (index) => squad.bot(index).beat()),
        every(perSecond.results * level, (index) => {
          const bot = squad.bot(index * 7); // none that beats now
          for (const lease of bot.leases.values()) bot.finish(lease);
        }),
        every(perSecond.crashes * level, () => crashes.push(stocked.sendCrash())),
      ];
      await sleep(seconds * 1000);
      for (const end of ends) end();
    });
    await Promise.all(crashes);
    const shares = await Promise.all(calls);
    return {
      acks: acks.percentiles,
      ownDelay: delay.percentiles,
      share: Math.min(...shares, 1),
    };
  };

  await run(1, 1); // until code is warm
  bench.say('mixed traffic: where the knee is');
  const [knee, tried] = await findKnee(run, bench.scale < 1);
  const level = shareOfKnee * knee;
  const rounds: Watched<Served>[] = [];
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`mixed traffic at 80 %, round ${round} of ${bench.rounds}`);
    const work = () => run(level, Math.max(5 * bench.scale, 1));
    rounds.push(await watch(master, 'mixed traffic at 80 %', work));
  }
  for (const feed of feeds) feed.cancel();
  squad.close();
  return { ...figuresOf(level, rounds), knee: ofOne(knee, tried) };
}

/** @returns the last level that is fine, and the levels tried, in words */
async function findKnee(
  run: (level: number, seconds: number) => Promise<Served>,
  isQuick: boolean,
): Promise<[number, string]> {
  let knee = 1;
  const tried: string[] = [];
  for (let level = 1; level <= lastLevel; level *= isQuick ? 2 : 1.25) {
    let isFine = false;
    // Once more where it was too much: a single run may have had bad luck.
    for (let attempt = 0; attempt < (isQuick ? 1 : 2) && !isFine; attempt++) {
      const { acks, share } = await run(level, isQuick ? 0.5 : 2);
      tried.push(`${level.toFixed(1)}: ${acks.p99.toFixed(0)} ms, ${percent(share)}`);
      isFine = acks.p99 < slowestMs && share >= leastServed;
    }
    if (!isFine) break;
    knee = level;
  }
  return [knee, `acknowledgement p99 and share answered by level: ${tried.join(', ')}`];
}

function figuresOf(
  level: number,
  rounds: readonly Watched<Served>[],
): Record<'mixedAcks' | 'mixedLoopDelay', Measured> {
  const of = (what: (round: Watched<Served>) => number) => rounds.map(what);
  const share = percent(median(of(({ result }) => result.share)));
  const busy = percent(median(of((round) => round.busy)));
  const ownMs = median(of(({ result }) => result.ownDelay.p99)).toFixed(1);
  const longest = Math.max(...of(({ loopDelay }) => loopDelay.max)).toFixed(0);
  return {
    mixedAcks: ofRounds(
      of(({ result }) => result.acks.p99),
      `${(5000 * level).toFixed(0)} bots; a second ${(1000 * level).toFixed(0)} beats, ${(40 * level).toFixed(0)} results and new jobs, ${(20 * level).toFixed(0)} crashes, ${(80 * level).toFixed(0)} reads and lists, ${share} of each answered at least; its core ${busy} busy; the load's own thread p99 ${ownMs} ms late`,
    ),
    mixedLoopDelay: ofRounds(
      of(({ loopDelay }) => loopDelay.p99),
      `longest ${longest} ms`,
    ),
  };
}
