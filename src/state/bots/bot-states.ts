import type { SessionHandle } from './sessions.js';

/** What a bot online does about new jobs; the first one that fits is its state. */
export type BotState = 'draining' | 'unwell' | 'held_back' | 'ready';

/** Counts bots online by state, as they change: /metrics walks over no fleet. */
export class BotStates {
  readonly #states = new Map<SessionHandle, BotState>();
  readonly #counts: Record<BotState, number> = { draining: 0, unwell: 0, held_back: 0, ready: 0 };

  get counts(): Readonly<Record<BotState, number>> {
    return this.#counts;
  }

  changed(session: SessionHandle): void {
    const state = stateOf(session);
    const before = this.#states.get(session);
    if (before === state) return;
    if (before) this.#counts[before] -= 1;
    this.#counts[state] += 1;
    this.#states.set(session, state);
  }

  left(session: SessionHandle): void {
    const before = this.#states.get(session);
    if (before) this.#counts[before] -= 1;
    this.#states.delete(session);
  }
}

function stateOf({ isDraining, isResting, health }: SessionHandle): BotState {
  if (isDraining) return 'draining';
  if (health?.problem) return 'unwell';
  return isResting ? 'held_back' : 'ready';
}
