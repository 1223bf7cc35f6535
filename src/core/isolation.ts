/**
 * Levels of isolation between a run and the machine of its bot, weakest first.
 * docs/containment.md says what each of them keeps from a run.
 */
export const isolationLevels = ['none', 'basic', 'namespaces', 'full'] as const;

export type IsolationLevel = (typeof isolationLevels)[number];

/** What a bot can be asked for: a level, or the best that works. */
export const isolationWishes = ['auto', ...isolationLevels] as const;

export type IsolationWish = (typeof isolationWishes)[number];
