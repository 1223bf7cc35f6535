import { expect, test } from '@jest/globals';
import { Rhythm } from '../../../src/state/heartbeat/rhythm.js';
import { VirtualClock } from '../../virtual-clock.js';

const togetherMs = 100;

/** How many are due at each moment that is in time. */
function crowdsOf(due: readonly number[]): number[] {
  const crowds = new Map<number, number>();
  for (const at of due) {
    const moment = Math.round(at / togetherMs);
    if (Math.abs(at - moment * togetherMs) > 1) throw new Error(`${at} ms is out of time`);
    crowds.set(moment, (crowds.get(moment) ?? 0) + 1);
  }
  return [...crowds.values()];
}

test('bots that came together beat in crowds, spread over the interval, and go on so', () => {
  const clock = new VirtualClock();
  const rhythm = new Rhythm(clock, 30_000);
  let due: number[] = [];
  for (let bot = 0; bot < 10_000; bot++) {
    clock.advance(0.01);
    due.push(clock.monotonic() + rhythm.firstInMs());
  }
  for (let turn = 0; turn < 3; turn++) {
    const crowds = crowdsOf(due);
    expect(crowds.length).toBeGreaterThan(290); // of 300
    expect(Math.max(...crowds)).toBeLessThan(2 * (10_000 / 300));
    due.sort((a, b) => a - b);
    due = due.map((at, bot) => {
      const underWay = (bot % 10) / 5; // of the beat, up to 2 ms
      clock.advance(Math.max(at + underWay - clock.monotonic(), 0));
      return clock.monotonic() + rhythm.nextInMs();
    });
  }
});

test.each([50, 300, 5000, 30_000])('of an interval of %i ms, no bot is left out', (intervalMs) => {
  const clock = new VirtualClock();
  const rhythm = new Rhythm(clock, intervalMs);
  const [first, next]: [number[], number[]] = [[], []];
  for (let bot = 0; bot < 1000; bot++) {
    clock.advance(1.3);
    first.push(rhythm.firstInMs());
    next.push(rhythm.nextInMs());
  }
  const slackMs = Math.min(togetherMs / 2, intervalMs / 20) + 0.5;
  expect(Math.min(...first)).toBeGreaterThan(0);
  expect(Math.max(...first)).toBeLessThanOrEqual(intervalMs + slackMs);
  expect(Math.min(...next)).toBeGreaterThanOrEqual(intervalMs - slackMs);
  expect(Math.max(...next)).toBeLessThanOrEqual(intervalMs + slackMs);
  expect([...first, ...next].every(Number.isInteger)).toBe(true);
});
