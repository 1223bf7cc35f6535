import type { Outcome } from './world.js';

/** Simulations that a shrinking may take. */
const mostRuns = 150;

/**
 * Leaves steps out for as long as the same promise is broken: first all that came after it,
 * then ever smaller parts, at last single ones.
 */
export async function shrink(
  failing: Outcome,
  simulate: (only: readonly number[]) => Promise<Outcome>,
  atMost = mostRuns,
): Promise<Outcome> {
  let smallest = failing;
  let runs = 0;
  const stepsOf = ({ plan, violation }: Outcome) =>
    plan.steps.filter(({ at }) => at <= (violation?.at ?? 0)).map(({ index }) => index);
  const isStill = async (steps: readonly number[]): Promise<boolean> => {
    if (runs++ >= atMost) return false;
    const outcome = await simulate(steps);
    if (outcome.violation?.kind !== failing.violation?.kind) return false;
    smallest = outcome;
    return true;
  };
  await isStill(stepsOf(failing));
  for (let size = Math.ceil(smallest.plan.steps.length / 2); size >= 1; ) {
    const steps = stepsOf(smallest);
    let isSmaller = false;
    for (let at = 0; at < steps.length && !isSmaller; at += size) {
      isSmaller = await isStill([...steps.slice(0, at), ...steps.slice(at + size)]);
    }
    if (isSmaller) size = Math.min(size, Math.ceil(smallest.plan.steps.length / 2));
    else if (size === 1 || runs >= atMost) break;
    else size = Math.ceil(size / 2);
  }
  return smallest;
}
