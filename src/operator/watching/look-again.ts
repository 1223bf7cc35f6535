import { sleep, systemClock } from '../../core/clock.js';
import { isLoss } from './changes.js';
import type { Link } from './link.js';

const lookEveryMs = 2000;

/**
 * Looks every two seconds, also after a master was away, until `look` says that it is enough.
 *
 * @throws the error of the first look, and what is no loss of the connection
 */
export async function lookAgain(
  signal: AbortSignal,
  link: Link,
  look: () => Promise<boolean>,
): Promise<void> {
  let wasReached = false;
  for (;;) {
    try {
      const isEnough = await look();
      wasReached = true;
      link.back();
      if (isEnough) return;
    } catch (error) {
      if (signal.aborted || !wasReached || !isLoss(error)) throw error;
      link.away(error);
    }
    await sleep(systemClock, lookEveryMs, signal);
  }
}
