import { expect, test } from '@jest/globals';
import { type Plan, planOf } from './plan.js';
import { planted } from './planted.js';
import { shrink } from './shrink.js';
import { type Outcome, type Plant, World } from './world.js';

/** `make simulate SEEDS=1000` tries more. */
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 12) }, (_, at) => at + 1);

const simulate = (plan: Plan, plant?: Plant): Promise<Outcome> => new World(plan, plant).run();

/** The first seed with which the planted fault breaks a promise. */
async function find(plant: Plant): Promise<Outcome> {
  for (let seed = 1; seed <= 40; seed++) {
    const outcome = await simulate(planOf(String(seed)), plant);
    if (outcome.violation) return outcome;
  }
  throw new Error('40 seeds have not found it');
}

test('whatever happens when, every promise is kept and every job ends', async () => {
  let looks = 0;
  for (const seed of seeds) {
    const { violation, figures } = await simulate(planOf(String(seed)));
    looks += figures.calmLooks;
    expect({ seed, violation }).toEqual({ seed, violation: undefined });
  }
  expect(looks).toBeGreaterThan(seeds.length);
});

test('a seed decides everything', async () => {
  const [first, again, other] = [await hashOf('3'), await hashOf('3'), await hashOf('4')];
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

const hashOf = async (seed: string) => (await simulate(planOf(seed))).hash;

test.each(Object.entries(planted))('it would find that %s', async (_, { breaks, ...plant }) => {
  expect(breaks).toContain((await find(plant)).violation?.kind);
});

test('a failing seed is told in fewer steps, which fail in the same way again', async () => {
  const plant = planted['nobody is told of a job that has come back'] as Plant;
  const failing = await find(plant);
  const again = (only: readonly number[]) => simulate(planOf(failing.plan.seed, only), plant);
  const small = await shrink(failing, again, 15);
  expect(small.plan.steps.length).toBeLessThan(failing.plan.steps.length);
  expect(small.violation?.kind).toBe(failing.violation?.kind);
  const { hash, violation } = await again(small.plan.steps.map(({ index }) => index));
  expect({ hash, violation }).toEqual({ hash: small.hash, violation: small.violation });
});
