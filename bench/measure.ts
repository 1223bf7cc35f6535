import { setTimeout as sleep } from 'node:timers/promises';
import { type Measured, median, ofRounds } from './figure.js';

export interface Rounds<T> {
  readonly a: readonly T[];
  readonly b: readonly T[];
}

/** Runs A and B by turns, A B B A: a disturbance of the machine reaches both. */
export async function alternate<T>(
  rounds: number,
  a: () => Promise<T>,
  b: () => Promise<T>,
): Promise<Rounds<T>> {
  const [as, bs]: [T[], T[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) as.push(await a());
    bs.push(await b());
    if (round % 2 === 1) as.push(await a());
  }
  return { a: as, b: bs };
}

/** The ratio a / b round by round. `detail`: of the medians of both, if it names them. */
export function ofRatio<K extends string>(
  rounds: Rounds<Readonly<Record<K, number>>>,
  key: K,
  detail: string | ((a: number, b: number) => string),
): Measured {
  const [as, bs] = [rounds.a.map((one) => one[key]), rounds.b.map((one) => one[key])];
  const ratios = as.map((value, round) => value / (bs[round] as number));
  const words = typeof detail === 'string' ? detail : detail(median(as), median(bs));
  return ofRounds(ratios, words);
}

export interface Batch<Output> {
  readonly perSecond: number;
  readonly outputs: readonly Output[];
}

/** Runs all of `inputs`, with `inFlight` of them under way at any time. */
export async function eachInFlight<Input, Output>(
  inputs: readonly Input[],
  inFlight: number,
  one: (input: Input, index: number) => Promise<Output>,
): Promise<Batch<Output>> {
  const outputs: Output[] = [];
  let next = 0;
  const startedAt = performance.now();
  const runSome = async () => {
    while (next < inputs.length) outputs.push(await one(inputs[next] as Input, next++));
  };
  await Promise.all(Array.from({ length: inFlight }, runSome));
  return { perSecond: (inputs.length / (performance.now() - startedAt)) * 1000, outputs };
}

/** Begins `one` so often, whatever became of the ones before. @returns ends that */
export function every(perSecond: number, one: (index: number) => void): () => void {
  const startedAt = performance.now();
  let begun = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    for (; begun < due; begun++) one(begun);
  }, 5);
  return () => clearInterval(timer);
}

/** Resolves within 2 ms once it is so. @throws Error after a minute: something has gone wrong */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const endsAt = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > endsAt) throw new Error(`not after a minute: ${what}`);
    await sleep(2);
  }
}
