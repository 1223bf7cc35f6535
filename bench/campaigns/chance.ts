/** Randomness that a seed decides, and what is drawn by it. */
export type Random = () => number;

/** Numbers from 0 to 1 (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}

export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export const exponential = (random: Random): number => -Math.log(1 - random());

/** How many of `count` independent trials succeed. */
export function binomial(random: Random, count: number, chance: number): number {
  if (count === 0 || chance <= 0) return 0;
  if (chance >= 1) return count;
  if (count * chance > 30) {
    const spread = Math.sqrt(count * chance * (1 - chance));
    const drawn = Math.round(count * chance + spread * normal(random));
    return Math.min(Math.max(drawn, 0), count);
  }
  const failing = Math.log1p(-chance);
  const jump = () => 1 + Math.floor(Math.log(1 - random()) / failing);
  let successes = 0;
  for (let i = jump() - 1; i < count; i += jump()) successes++;
  return successes;
}

/** The value below which so much of them lies. */
export function quantileOf(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

export const medianOf = (values: readonly number[]): number => quantileOf(values, 0.5);
