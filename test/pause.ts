import { systemClock } from '../src/core/clock.js';

/** Between two looks at what will happen: leaves the machine to it. No test depends on how long it is. */
export const pause = (ms = 20): Promise<void> =>
  new Promise((resolve) => {
    systemClock.schedule(ms, resolve);
  });
