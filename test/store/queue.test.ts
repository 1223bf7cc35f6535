import { describe, expect, test } from '@jest/globals';
import { OverloadError } from '../../src/core/errors.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { getJob } from '../../src/store/ops/jobs/get-job.js';
import { UrgencyQueue } from '../../src/store/queue.js';
import { openStore, testContext } from '../harness.js';
import { jobInput, withTarget } from './inputs.js';

const waiting = (name: string, abandoned = false, cost = 1) => ({ name, abandoned, cost });

function queueWith(counts: { result?: number; work?: number; beats?: number; upkeep?: number }) {
  const queue = new UrgencyQueue<ReturnType<typeof waiting>>(1000);
  const urgencies = ['upkeep', 'beats', 'work', 'result'] as const; // the least urgent came first
  for (const urgency of urgencies) {
    for (let i = 0; i < (counts[urgency] ?? 0); i++) queue.push(urgency, waiting(urgency));
  }
  return queue;
}

const tally = (group: readonly { name: string }[]) => {
  const counts: Record<string, number> = {};
  for (const { name } of group) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

describe('what waits for the writer', () => {
  test('goes by urgency: results, then work, then beats, then upkeep', () => {
    const group = queueWith({ result: 2, work: 2, beats: 2, upkeep: 2 }).take(128);
    const names = group.map(({ name }) => name);
    expect(names).toEqual([
      'result',
      'result',
      'work',
      'work',
      'beats',
      'beats',
      'upkeep',
      'upkeep',
    ]);
  });

  test('has a share of every group, however much of the urgent there is', () => {
    const queue = queueWith({ result: 500, work: 500, beats: 500, upkeep: 500 });
    expect(tally(queue.take(128))).toEqual({ result: 80, work: 16, beats: 16, upkeep: 16 });
    expect(queue.size).toBe(2000 - 128);
  });

  test('leaves room to the urgent that the others do not need', () => {
    expect(tally(queueWith({ result: 500, beats: 3 }).take(128))).toEqual({
      result: 125,
      beats: 3,
    });
  });

  test('takes places by what it costs, and the last may take more than are left', () => {
    const queue = new UrgencyQueue<ReturnType<typeof waiting>>(100);
    for (const name of ['a', 'b', 'c']) queue.push('work', waiting(name, false, 8));
    for (let i = 0; i < 20; i++) queue.push('work', waiting('row'));
    queue.push('work', waiting('d', false, 8));
    expect(tally(queue.take(20))).toEqual({ a: 1, b: 1, c: 1 });
    expect(tally(queue.take(22))).toEqual({ row: 20, d: 1 });
    expect(queue.size).toBe(0);
  });

  test('is taken as it came within its urgency, and left out once it was abandoned', () => {
    const queue = new UrgencyQueue<ReturnType<typeof waiting>>(10);
    for (const [name, abandoned] of [
      ['a', false],
      ['b', true],
      ['c', false],
    ] as const) {
      queue.push('work', waiting(name, abandoned));
    }
    expect(queue.take(10).map(({ name }) => name)).toEqual(['a', 'c']);
    expect(queue.size).toBe(0);
  });

  test('is bounded for each urgency by itself', () => {
    const queue = new UrgencyQueue<ReturnType<typeof waiting>>(2);
    const push = (urgency: 'beats' | 'result') => queue.push(urgency, waiting(urgency));
    expect([push('beats'), push('beats'), push('beats')]).toEqual([true, true, false]);
    expect(push('result')).toBe(true);
  });
});

describe('a store with more work than it may keep waiting', () => {
  test('refuses the rest at once with when to come again, and does what it took', async () => {
    const store = await openStore({ maxQueuedWrites: 10 });
    await withTarget(store);
    const inputs = Array.from({ length: 50 }, () => jobInput());
    const outcomes = await Promise.allSettled(
      inputs.map((input) => store.run(testContext(), createJob, input)),
    );
    const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason] : []));
    expect(refused).toHaveLength(40);
    for (const reason of refused) {
      expect(reason).toBeInstanceOf(OverloadError);
      expect(reason.fields.retryAfterMs).toBeGreaterThan(0);
    }
    for (const [index, outcome] of outcomes.entries()) {
      const id = inputs[index]?.id as string;
      const row = await store.run(testContext(), getJob, id);
      expect(row !== undefined).toBe(outcome.status === 'fulfilled');
    }
  });
});
