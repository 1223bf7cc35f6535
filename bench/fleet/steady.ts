import { setTimeout as sleep } from 'node:timers/promises';
import { seldom } from '../loop-delay.js';
import type { Figure } from '../measure.js';
import { inWords, watchVitals } from '../vitals.js';
import { below, type Scene } from './scene.js';

/** Nothing happens: all run their jobs and beat. */
export async function steady(
  { master, crew, bots }: Scene,
  { intervalMs, forMs }: { intervalMs: number; forMs: number },
): Promise<Figure[]> {
  crew.recount();
  const beating = () => sleep(forMs);
  const { vitals } = await watchVitals(master, `${bots} that beat`, beating, seldom);
  const { percentiles } = crew.tally.answers;
  return [
    below(
      `CPU of the master, ${bots} that beat every ${intervalMs / 1000} s`,
      ...(['% of a core', 5, vitals.busy * 100] as const),
      {
        detail: `${percentiles.count.toLocaleString('en')} beats, each naming a lease with its statistics, in ${forMs / 1000} s; ${inWords(vitals)}`,
        vitals,
      },
    ),
    below('heartbeat acknowledgement, p99', 'ms', 50, percentiles.p99, {
      detail: 'over the same time; spread: median to longest',
      spread: [percentiles.p50, percentiles.max],
      percentiles,
    }),
  ];
}
