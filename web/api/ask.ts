import { useEffect, useRef, useState } from 'preact/hooks';
import { type Failure, failureOf } from './failure.js';
import { askEveryMs, untilDue } from './line.js';

export interface Answer<T> {
  /** The last one that came; it stays while the master is away. */
  readonly value: T | undefined;
  /** Why the last question had none. */
  readonly failure: Failure | undefined;
  /** performance.now() of the value. */
  readonly at: number;
  /** It is asked for again after this time. */
  readonly everyMs: number;
  /** Asks now. */
  readonly again: () => void;
}

interface Held<T> {
  readonly key: string;
  readonly value: T | undefined;
  readonly failure: Failure | undefined;
  readonly at: number;
}

/**
 * Asks when a panel appears and then again and again, never twice at once, until it is gone or
 * `key` changes. One that is refused for good (no such job) is asked again as well: what was
 * missing may come.
 *
 * @param key names the question: request and all
 */
export function useAsk<T>(
  key: string,
  ask: (signal: AbortSignal) => Promise<T>,
  everyMs: number = askEveryMs,
): Answer<T> {
  const empty: Held<T> = { key, value: undefined, failure: undefined, at: 0 };
  const [held, setHeld] = useState(empty);
  const [turn, setTurn] = useState(0);
  const question = useRef(ask);
  question.current = ask;
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const loop = async () => {
      for (;;) {
        try {
          const value = await question.current(signal);
          setHeld({ key, value, failure: undefined, at: performance.now() });
        } catch (error) {
          if (signal.aborted) return;
          const failure = failureOf(error);
          setHeld((now) => (now.key === key ? { ...now, failure } : { ...empty, failure }));
        }
        await untilDue(everyMs, signal);
      }
    };
    loop().catch((error) => {
      if (!signal.aborted) throw error;
    });
    return () => stop.abort();
  }, [key, turn, everyMs]);
  const { value, failure, at } = held.key === key ? held : empty;
  return { value, failure, at, everyMs, again: () => setTurn((now) => now + 1) };
}
