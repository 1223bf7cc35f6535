import { Random } from './random.js';

export const kinds = {
  // What operators do.
  create: 30,
  cancel: 5,
  pause: 4,
  resume: 4,
  retry: 3,
  campaign: 3,
  drain: 2,
  undrain: 3,
  forget: 1,
  // What happens to the master.
  'kill master': 3,
  'restart master': 2,
  'freeze master': 2,
  // To bots.
  'kill bot': 5,
  'freeze bot': 3,
  'replace bot': 1,
  'clone bot': 1,
  // To the network.
  'reset stream': 4,
  'stall stream': 4,
  'cut stream': 4,
  'slow network': 2,
  'lossy calls': 2,
  // To the disk.
  'slow disk': 2,
  'busy disk': 2,
  'failing disk': 1,
} as const;
export type Kind = keyof typeof kinds;

/** Something that is done to the system from outside. */
export interface Step {
  /** Its place in the plan of its seed: names it, also when others are left out. */
  readonly index: number;
  /** Virtual ms. */
  readonly at: number;
  readonly kind: Kind;
}

/** All that is decided before a simulation begins; the rest follows from the seed. */
export interface Plan {
  readonly seed: string;
  readonly steps: readonly Step[];
}

/** Steps come in so many virtual ms; then everything is healed, and has to come to an end. */
export const stepsForMs = 50_000;
const allKinds = Object.entries(kinds).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as Kind),
);

/** @param only indexes of the steps to keep; all when left out */
export function planOf(seed: string, only?: readonly number[]): Plan {
  const random = new Random(seed).fork('plan');
  const count = random.whole(20, 90);
  // Some seeds leave whole kinds out, so that what is left gets room.
  const left = allKinds.filter(
    (kind, at) => kind === 'create' || allKinds.indexOf(kind) !== at || random.chance(0.8),
  );
  const missing = new Set(Object.keys(kinds).filter((kind) => !left.includes(kind as Kind)));
  const possible = left.filter((kind) => !missing.has(kind));
  const all = Array.from({ length: count }, () => ({
    at: random.between(0, stepsForMs) * (random.chance(0.3) ? 0.2 : 1),
    kind: random.pick(possible),
  }));
  // Something to do from the first moment on.
  for (const at of [10, 20, 30]) all.push({ at, kind: 'create' });
  const steps = all.sort((a, b) => a.at - b.at).map((step, index) => ({ index, ...step }));
  return { seed, steps: only ? steps.filter(({ index }) => only.includes(index)) : steps };
}
