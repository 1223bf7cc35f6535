import { computed, signal } from '@preact/signals';
import { type Failure, isAway, isBusy } from './failure.js';
import { signedOut } from './session.js';

/**
 * The line to the master: whether it answers, since when it does not, and when it is asked
 * again. `state` goes from 'connecting' to 'live' with the first answer, and to 'away' with a
 * call that nobody answers: then everything waits for `nextTryAt`, which comes later with each
 * try, and after the first answer all is asked anew.
 */
export type LineState = 'connecting' | 'live' | 'away' | 'busy' | 'paused';

/** Between two questions of one panel, milliseconds. */
export const askEveryMs = 2000;
const busyEveryMs = 20_000;
const longestDelayMs = 30_000;

const answering = signal<'connecting' | 'live' | 'away' | 'busy'>('connecting');
export const isPaused = signal(false);
export const state = computed<LineState>(() => (isPaused.value ? 'paused' : answering.value));
/** performance.now() of the last answer. */
export const heardAt = signal<number | undefined>(undefined);
export const nextTryAt = signal(0);
/** Counts seconds while the tab is visible: ages are computed from it. */
export const tick = signal(0);
/** The master's clock less performance.now(). */
const clockOffset = signal(Date.now() - performance.now());
/** How far this machine's clock is from the master's, milliseconds. */
export const skewMs = signal(0);

/** The master's clock, as of the last tick. */
export function masterNow(): number {
  tick.value;
  return performance.now() + clockOffset.value;
}

let tries = 0;
/** performance.now() of the last refusal because the master is busy. */
let refusedAt = 0;
let waiting: (() => void)[] = [];

/** A call was answered, with whatever. */
export function heard(date: string | null): void {
  const now = performance.now();
  const sent = date === null ? Number.NaN : Date.parse(date) + 500;
  // The header has whole seconds: it is believed where it differs by more.
  if (Math.abs(sent - (now + clockOffset.value)) > 1500) clockOffset.value = sent - now;
  if (!Number.isNaN(sent)) skewMs.value = Date.now() - (now + clockOffset.value);
  heardAt.value = now;
}

/** A call that was asked at `askedAt` has its answer: nothing waits any longer. */
export function succeeded(askedAt: number): void {
  // One that was under way when another was refused does not say that there is room again.
  if (answering.value === 'busy' && askedAt <= refusedAt) return;
  tries = 0;
  const wasAway = answering.value === 'away';
  answering.value = 'live';
  nextTryAt.value = 0;
  if (wasAway) wake();
}

export function failed(failure: Failure): void {
  if (failure.code === 'unauthenticated') {
    signedOut(failure.reason === 'TOKEN_MISSING' ? '' : failure.message);
  } else if (isBusy(failure)) {
    answering.value = 'busy';
    refusedAt = performance.now();
    nextTryAt.value = refusedAt + busyEveryMs;
  } else if (isAway(failure) && performance.now() >= nextTryAt.value) {
    answering.value = 'away';
    const delay = Math.min(longestDelayMs, 1000 * 2 ** tries++);
    nextTryAt.value = performance.now() + delay * (0.75 + Math.random() / 2);
  }
}

/** Everything that waits asks now. */
export function wake(): void {
  nextTryAt.value = 0;
  for (const go of waiting.splice(0)) go();
}

/** Waits until a panel asks again. Rejects when the signal fires. */
export function untilDue(everyMs: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const done = () => {
      clearInterval(timer);
      abort.removeEventListener('abort', stop);
      waiting = waiting.filter((one) => one !== done);
      resolve();
    };
    const stop = () => {
      reject(abort.reason);
      done();
    };
    const look = () => {
      const now = performance.now();
      const isHeld = isPaused.value || document.hidden || now < nextTryAt.value;
      if (!isHeld && now - begun >= everyMs) done();
    };
    const timer = setInterval(look, 250);
    waiting.push(done);
    if (abort.aborted) stop();
    else abort.addEventListener('abort', stop);
  });
}

setInterval(() => {
  if (!document.hidden) tick.value += 1;
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isPaused.value) wake();
});
