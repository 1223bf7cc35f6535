/**
 * Levels of isolation between a run and the machine of its bot, weakest first.
 * docs/containment.md says what each of them keeps from a run.
 */
export const isolationLevels = ['none', 'basic', 'namespaces', 'full'] as const;

/** Numbers of the levels in the contract (pandafuzz.v1.Isolation): 1 for the first. */
export const isolationNumber = (level: IsolationLevel): number =>
  isolationLevels.indexOf(level) + 1;

/** @returns undefined for a number that stands for no level */
export const isolationNamed = (number: number): IsolationLevel | undefined =>
  isolationLevels[number - 1];

export type IsolationLevel = (typeof isolationLevels)[number];

/** What a bot can be asked for: a level, or the best that works. */
export const isolationWishes = ['auto', ...isolationLevels] as const;

export type IsolationWish = (typeof isolationWishes)[number];
