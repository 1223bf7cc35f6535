import type { Gap } from './checker/evidence.js';
import type { Load } from './load/load.js';
import type { Outcome } from './row.js';
import type { Scene } from './scene.js';

/** Longest time for calls under way to be answered once the fault is over, milliseconds. */
const settleMs = 20_000;

/** Ends the load and the master, and judges what is left. */
export async function settled(
  scene: Scene,
  load: Load | undefined,
  seen: Omit<Outcome, 'operations' | 'violations'> & {
    readonly violations?: readonly string[];
    readonly gap?: Gap;
  },
): Promise<Outcome> {
  await load?.end(settleMs);
  const { ms, code } = await scene.stop();
  const ownEnd =
    code === 0 ? [] : [`the master ended with ${code}: ${scene.master?.said.slice(-1000)}`];
  const { violations = [], gap, ...rest } = seen;
  const acknowledged = new Set(
    scene.read().flatMap(({ end, kind }) => (end === 'done' ? [kind] : [])),
  );
  const idle = (load ? (['create', 'beat', 'done'] as const) : [])
    .filter((kind) => !acknowledged.has(kind))
    .map((kind) => `the load did nothing: no ${kind} was acknowledged`);
  const judged = scene.judge(gap).map(({ rule, what }) => `${rule}: ${what}`);
  return {
    ...rest,
    operations: scene.operations,
    violations: [...violations, ...ownEnd, ...idle, ...judged],
    figures: { ...rest.figures, 'stop after it': `${ms.toFixed(0)} ms` },
  };
}
