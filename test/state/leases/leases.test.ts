import { describe, expect, test } from '@jest/globals';
import { JobStatistics } from '../../../src/gen/pandafuzz/v1/job.js';
import { Leases, type LiveLease } from '../../../src/state/leases/leases.js';
import type { JobRow } from '../../../src/store/rows.js';
import { VirtualClock } from '../../virtual-clock.js';

const times = { ttlMs: 30_000, offerTimeoutMs: 10_000 };

function leasing(isRunning?: () => boolean) {
  const clock = new VirtualClock();
  const expired: LiveLease[] = [];
  const leases = new Leases({ clock, times, isRunning, onExpired: (lease) => expired.push(lease) });
  leases.start();
  const grant = (id: string, acknowledged = true, fence = 1) => {
    const job = { id, attempt: 1, fence, engine: 'libfuzzer', cancel_requested_at: null };
    const holder = { botId: 'bot', ttlMs: times.ttlMs, acknowledged };
    return leases.grant(job as JobRow, holder);
  };
  return { clock, leases, expired, grant };
}

describe('a lease', () => {
  test('ends when it is not renewed for its TTL, and not before', () => {
    const { clock, leases, expired, grant } = leasing();
    const lease = grant('job');
    clock.advance(29_900);
    expect(expired).toEqual([]);
    clock.advance(600);
    expect(expired).toEqual([lease]);
    expect([leases.size, leases.ofJob('job'), leases.countOfBot('bot')]).toEqual([0, undefined, 0]);
  });

  test('keeps the rest of its time while its master may be taken for dead by others', () => {
    let isMember = true;
    const { clock, leases, expired, grant } = leasing(() => isMember);
    const lease = grant('job');
    clock.advance(10_000);
    isMember = false;
    clock.advance(3_600_000);
    expect([expired, leases.remainingMs(lease)]).toEqual([[], 20_000]);
    isMember = true;
    clock.advance(19_900);
    expect(expired).toEqual([]);
    clock.advance(600);
    expect(expired).toEqual([lease]);
  });

  test('lives as long as it is renewed', () => {
    const { clock, leases, expired, grant } = leasing();
    const lease = grant('job');
    for (let beat = 0; beat < 100; beat++) {
      clock.advance(20_000);
      leases.renew(lease);
    }
    expect(expired).toEqual([]);
    clock.advance(31_000);
    expect(expired).toEqual([lease]);
  });

  test('of a whole fleet that is lost ends in slices; one that is heard of meanwhile lives', () => {
    const { clock, leases, expired, grant } = leasing();
    const all = Array.from({ length: 1000 }, (_, i) => grant(`job ${i}`));
    clock.advance(30_100);
    expect(expired).toHaveLength(256);
    const late = all.at(-1) as LiveLease;
    leases.renew(late);
    clock.advance(1500);
    expect(expired).toHaveLength(999);
    expect(new Set(expired).size).toBe(999);
    expect(expired).not.toContain(late);
    clock.advance(31_000);
    expect(expired).toContain(late);
  });

  test('that is only offered ends after the offer’s time', () => {
    const { clock, expired, grant } = leasing();
    const lease = grant('job', false);
    clock.advance(10_500);
    expect(expired).toEqual([lease]);
  });

  test('gets a whole TTL when it is acknowledged, even one shorter than the offer', () => {
    const { clock, leases, expired, grant } = leasing();
    const offered = grant('long', false);
    const short = { ...grant('other', false) };
    clock.advance(9000);
    leases.acknowledge(offered);
    clock.advance(29_000);
    expect(expired.map((lease) => lease.jobId)).toEqual([short.jobId]);
  });

  test('is found under its own attempt and fence only', () => {
    const { leases, grant } = leasing();
    const lease = grant('job', true, 7);
    expect(leases.find({ jobId: 'job', attempt: 1, fence: 7 })).toBe(lease);
    expect(leases.find({ jobId: 'job', attempt: 1, fence: 6 })).toBeUndefined();
    expect(leases.find({ jobId: 'job', attempt: 2, fence: 7 })).toBeUndefined();
  });

  test('gives way to a newer one of its job, and never to an older', () => {
    const { leases, grant } = leasing();
    const newer = grant('job', true, 2);
    expect(grant('job', true, 1)).toBe(newer);
    const newest = grant('job', true, 3);
    expect([leases.ofJob('job'), leases.size]).toEqual([newest, 1]);
  });

  test('outlives a master that was stopped for longer than the TTL', () => {
    const { clock, leases, expired, grant } = leasing();
    const lease = grant('job');
    clock.freeze(2 * 3_600_000);
    clock.advance(1000);
    expect(expired).toEqual([]);
    leases.renew(lease);
    clock.advance(29_000);
    expect(expired).toEqual([]);
  });
});

describe('the figures of the fleet', () => {
  test('are the sum over the leases that live', () => {
    const { leases, grant } = leasing();
    const at = (executionsPerSecond: number) => JobStatistics.create({ executionsPerSecond });
    const [a, b] = [grant('a'), grant('b')];
    leases.report(a, 2, at(100));
    leases.report(b, 2, at(50));
    leases.report(a, 2, at(70));
    expect(leases.executionsPerSecond).toBe(120);
    expect(leases.takeUnflushed()).toEqual([a, b]);
    expect(leases.takeUnflushed()).toEqual([]);
    leases.end(a);
    expect(leases.executionsPerSecond).toBe(50);
  });

  test('are nothing without leases, whatever fractions they were the sum of', () => {
    const { leases, grant } = leasing();
    const all = [0.1, 0.2, 0.3].map((executionsPerSecond) => {
      const lease = grant(String(executionsPerSecond));
      leases.report(lease, 2, JobStatistics.create({ executionsPerSecond }));
      return lease;
    });
    for (const lease of all) leases.end(lease);
    expect(leases.executionsPerSecond).toBe(0);
  });
});
