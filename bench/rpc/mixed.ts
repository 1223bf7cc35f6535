import type { Bench } from '../bench.js';
import { type Figure, median } from '../measure.js';
import { type Vitals, watchVitals } from '../vitals.js';
import { leastServed, slowestMs } from './knee.js';
import type { Stocked } from './stocked.js';
import { type Served, Traffic } from './traffic.js';

/** Levels of traffic.ts that are tried. */
const firstLevel = 1;
const lastLevel = 64;
const growth = 1.25;
const quickGrowth = 2;
const shareOfKnee = 0.8;

interface Round {
  readonly served: Served;
  readonly vitals: Vitals;
}

/** A whole fleet's traffic, at four fifths of what the master can take. */
export async function mixedProfile(bench: Bench, stocked: Stocked): Promise<Figure[]> {
  const isQuick = bench.scale < 1;
  const traffic = await Traffic.start(stocked);
  try {
    await traffic.run(firstLevel, 1); // until code is warm
    bench.say('mixed traffic: where the knee is');
    const { knee, tried } = await findKnee(traffic, isQuick);
    const level = shareOfKnee * knee;
    const rounds: Round[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`mixed traffic at 80 %, round ${round} of ${bench.rounds}`);
      rounds.push(await watched(traffic, stocked, level, isQuick ? 1 : 5));
    }
    return figuresOf(level, knee, tried, rounds);
  } finally {
    traffic.stop();
  }
}

async function findKnee(traffic: Traffic, isQuick: boolean) {
  const [seconds, by, attempts] = isQuick ? [0.5, quickGrowth, 1] : [2, growth, 2];
  let knee = firstLevel;
  const tried: string[] = [];
  for (let level = firstLevel; level <= lastLevel; level *= by) {
    let isFine = false;
    // Once more where it was too much: a single run may have had bad luck.
    for (let attempt = 0; attempt < attempts && !isFine; attempt++) {
      const { acks, share } = await traffic.run(level, seconds);
      tried.push(`${level.toFixed(1)}: ${acks.p99.toFixed(0)} ms, ${(share * 100).toFixed(0)} %`);
      isFine = acks.p99 < slowestMs && share >= leastServed;
    }
    if (!isFine) break;
    knee = level;
  }
  return { knee, tried };
}

async function watched(
  traffic: Traffic,
  { master }: Stocked,
  level: number,
  seconds: number,
): Promise<Round> {
  const { result: served, vitals } = await watchVitals(master, 'mixed traffic at 80 %', () =>
    traffic.run(level, seconds),
  );
  return { served, vitals };
}

function figuresOf(
  level: number,
  knee: number,
  tried: readonly string[],
  rounds: readonly Round[],
): Figure[] {
  const acks = rounds.map(({ served }) => served.acks.p99);
  const delays = rounds.map(({ vitals }) => vitals.loopDelay.p99);
  const of = (what: (round: Round) => number) => median(rounds.map(what));
  const last = rounds.at(-1) as Round;
  const thousands = (perSecond: number) => Math.round(perSecond * level).toLocaleString('en');
  const what = `${thousands(1000)} beats, ${thousands(40)} results and new jobs, ${thousands(20)} crashes, ${thousands(80)} reads and lists a second`;
  return [
    {
      name: 'heartbeat acknowledgement at 80 % load, with lists and crash uploads, p99',
      ...{ value: median(acks), spread: spreadOf(acks), unit: 'ms' },
      target: { is: '<', bound: slowestMs },
      detail: `${what}; ${(of(({ served }) => served.share) * 100).toFixed(0)} % of each done at least; its core ${(of(({ vitals }) => vitals.busy) * 100).toFixed(0)} % busy; the load's own thread p99 ${of(({ served }) => served.ownDelay.p99).toFixed(1)} ms late; ${last.served.about}`,
      percentiles: last.served.acks,
      absolute: { level, beatsPerSecond: 1000 * level },
    },
    {
      name: 'event-loop delay of the master under it, p99',
      ...{ value: median(delays), spread: spreadOf(delays), unit: 'ms' },
      target: { is: '<', bound: 10 },
      detail: `longest ${Math.max(...rounds.map(({ vitals }) => vitals.loopDelay.max)).toFixed(0)} ms`,
      percentiles: last.vitals.loopDelay,
    },
    {
      name: 'knee of the mixed traffic, level',
      ...{ value: knee, spread: [knee, knee], unit: 'x 5,000 bots' },
      detail: `acknowledgement p99 and share done by level: ${tried.join(', ')}`,
    },
  ];
}

const spreadOf = (values: readonly number[]): [number, number] => [
  Math.min(...values),
  Math.max(...values),
];
