import { describeFailure, isAway } from '../../client/failure.js';
import type { Tell } from './lines.js';

/** Word of what becomes of the connection: said once, however many find it out. */
export interface Link {
  /** The master cannot be reached, or refuses for now: it is tried again until it answers. */
  away(error: unknown): void;
  /** It answers again. */
  back(): void;
  /** It no longer knows what happened since. */
  gap(): void;
}

/** Says it among the events. */
export function linkTo(address: string, tell: Tell): Link {
  let isGone = false;
  const event = (kind: string, text: string, isBad = false) =>
    tell({ time: new Date(), kind: `master.${kind}`, text, isBad });
  return {
    away(error) {
      if (!isGone) event('away', `${reason(error, address)}; waiting for it`, true);
      isGone = true;
    },
    back() {
      if (isGone) event('back', 'it answers again');
      isGone = false;
    },
    gap() {
      event('gap', 'changes of jobs since the last line are no longer kept; from now on', true);
    },
  };
}

const reason = (error: unknown, address: string): string =>
  error === undefined || isAway(error)
    ? `no master answers at ${address}`
    : describeFailure(error, address);
