import { setTimeout as sleep } from 'node:timers/promises';
import { seldom } from '../loop-delay.js';
import type { Figure } from '../measure.js';
import { inWords, watchVitals } from '../vitals.js';
import { below, type Scene } from './scene.js';

interface Times {
  readonly intervalMs: number;
  readonly forMs: number;
}

/** Nothing happens: all run their jobs and beat, when the master asks them to. */
export async function inTime(scene: Scene, { intervalMs, forMs }: Times): Promise<Figure[]> {
  const { cpuPercent, detail, vitals, percentiles } = await beating(scene, forMs);
  return [
    below(
      `CPU of the master, ${scene.bots} that beat every ${intervalMs / 1000} s`,
      ...(['% of a core', 5, cpuPercent] as const),
      { detail, vitals },
    ),
    below('heartbeat acknowledgement, p99', 'ms', 50, percentiles.p99, {
      detail: 'over the same time; spread: median to longest',
      spread: [percentiles.p50, percentiles.max],
      percentiles,
    }),
  ];
}

/** The same, with bots of somebody who does not look at what they are asked. */
export async function onTheirOwn(scene: Scene, { intervalMs, forMs }: Times): Promise<Figure> {
  scene.crew.pleaseThemselves(intervalMs);
  const { cpuPercent, detail, vitals } = await beating(scene, forMs);
  scene.crew.followTheMaster();
  return {
    name: 'the same, were they to beat whenever they please',
    ...{ value: cpuPercent, spread: [cpuPercent, cpuPercent], unit: '% of a core' },
    ...{ detail, vitals },
  };
}

async function beating({ master, crew, bots }: Scene, forMs: number) {
  crew.recount();
  const { vitals } = await watchVitals(master, `${bots} that beat`, () => sleep(forMs), seldom);
  const { percentiles } = crew.tally.answers;
  const detail = `${percentiles.count.toLocaleString('en')} beats, each naming a lease with its statistics, in ${forMs / 1000} s; ${inWords(vitals)}`;
  return { cpuPercent: vitals.busy * 100, detail, vitals, percentiles };
}
