import type { Random } from './chance.js';
import type { Deal } from './deal.js';
import type { SimulatedTarget } from './target.js';

export const slots = 4;
export const runS = 600;

export interface EndedRun {
  readonly hasFound: boolean;
  /** CPU seconds of all runs that have ended. */
  readonly spentS: number;
}

/** Lets a campaign run on four slots until it has used so much CPU time. */
export function simulate(
  target: SimulatedTarget,
  deal: Deal,
  { random, budgetS, onRun }: { random: Random; budgetS: number; onRun: (run: EndedRun) => void },
): void {
  const running: { index: number; finds: number[]; costS: number; end: number }[] = [];
  let [spentS, now] = [0, 0];
  while (spentS < budgetS) {
    while (running.length < slots) {
      const index = deal.take();
      const { finds, costS } = target.run(random, index, runS);
      running.push({ index, finds, costS, end: now + Math.max(1, costS) });
    }
    running.sort((a, b) => a.end - b.end);
    const first = running.shift();
    if (!first) return;
    now = first.end;
    spentS += first.costS;
    const hasFound = target.publish(first.finds) > 0;
    deal.ended(first.index, { costMs: first.costS * 1000, hasFound });
    onRun({ hasFound, spentS });
  }
}
