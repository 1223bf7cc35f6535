import { describe, expect, test } from '@jest/globals';
import { FairShare } from '../../../src/state/scheduling/fair-share.js';
import { type Match, Openings } from '../../../src/state/scheduling/openings.js';
import type { Taker } from '../../../src/state/scheduling/taker.js';
import type { QueueRow } from '../../../src/store/rows.js';

/** Looks that one job may cost, however many bots and campaigns there are. */
const looksOfAJob = 20;

class Yard {
  readonly running = new Map<string, number>();
  readonly fairShare = new FairShare((key) => this.running.get(key) ?? 0);
  readonly openings = new Openings(this.fairShare);
  #queues = 0;

  bot(index: number, offer: Partial<Taker['offer']> = {}, credit = 1): Taker {
    const limits = { memoryMib: 1024, diskMib: 0, isolation: 0 };
    const taker: Taker = {
      botId: `bot-${index}`,
      offer: { engines: ['libfuzzer'], labels: {}, ...limits, ...offer },
      ttlMs: 1000,
      acknowledged: false,
      credit,
      claiming: 0,
      gone: false,
      receive: () => {},
    };
    this.openings.seat(taker);
    return taker;
  }

  /** A queue in which `pending` jobs wait. */
  queue(campaign: string, asked: Partial<QueueRow> = {}): number {
    const id = ++this.#queues;
    const amounts = { memory_mib: 0, disk_mib: 0, other_than_bot_id: '', pending: 1 };
    this.openings.addQueue({
      id,
      campaign,
      engine: 'libfuzzer',
      labels: '{}',
      ...amounts,
      ...asked,
    });
    return id;
  }

  /** What dispatch.ts does with a match, whose claim then finds a job and leaves `left`. */
  take(left = 0): Match | undefined {
    const match = this.openings.next();
    if (!match) return undefined;
    const { taker, queues, campaign } = match;
    taker.credit--;
    this.openings.toTheEnd(taker);
    this.fairShare.took(campaign);
    this.openings.claimBegins(queues);
    const [first] = queues;
    if (first) first.waiting = left;
    this.openings.claimEnds(queues);
    return match;
  }

  /** Looks while `work` runs. */
  looks(work: () => void): number {
    const before = this.openings.sizes.looked;
    work();
    return this.openings.sizes.looked - before;
  }
}

describe('a job of a new campaign, with requirements that no other has,', () => {
  test('costs no more with a thousand bots and five thousand campaigns that wait', () => {
    const yard = new Yard();
    for (let i = 0; i < 1000; i++) yard.bot(i, { labels: { machine: `m${i}` } });
    for (let i = 0; i < 5000; i++) yard.queue(`waits-${i}`, { labels: `{"machine":"gone${i}"}` });
    expect(yard.take()).toBeUndefined();
    const looks = yard.looks(() => {
      for (let i = 0; i < 100; i++) {
        yard.queue(`new-${i}`, { labels: `{"machine":"m${i}"}` });
        expect(yard.take()?.taker.botId).toBe(`bot-${i}`);
        expect(yard.take()).toBeUndefined();
      }
    });
    expect(looks).toBeLessThan(100 * looksOfAJob);
  });

  test('costs no more where bots with the same offer are busy, and free one after the other', () => {
    const yard = new Yard();
    for (let i = 0; i < 5000; i++) yard.queue(`c-${i}`, { memory_mib: i % 700 });
    const bots = Array.from({ length: 1000 }, (_, i) => yard.bot(i, {}, 0));
    const seen = new Set<string>();
    const looks = yard.looks(() => {
      for (const bot of bots) {
        bot.credit = 1;
        yard.openings.seat(bot);
        const match = yard.take();
        expect(match?.taker).toBe(bot);
        seen.add(match?.campaign ?? '');
        expect(yard.take()).toBeUndefined();
      }
    });
    expect(seen.size).toBe(1000);
    expect(looks).toBeLessThan(1000 * looksOfAJob);
  });

  test('costs no more where other campaigns have reached their limits', () => {
    const yard = new Yard();
    for (let i = 0; i < 2000; i++) {
      yard.fairShare.set(`full-${i}`, { weight: 1, maxParallel: 1 });
      yard.running.set(`full-${i}`, 1);
      yard.queue(`full-${i}`);
    }
    yard.bot(0, {}, 1000);
    expect(yard.take()).toBeUndefined();
    const looks = yard.looks(() => {
      for (let i = 0; i < 500; i++) {
        yard.queue(`new-${i}`);
        expect(yard.take()?.campaign).toBe(`new-${i}`);
      }
    });
    expect(looks).toBeLessThan(500 * looksOfAJob);
    yard.running.delete('full-7');
    yard.openings.roomChanged('full-7');
    expect(yard.take()?.campaign).toBe('full-7');
  });

  test('wakes one bot: no more are matched than jobs wait', () => {
    const yard = new Yard();
    for (let i = 0; i < 1000; i++) yard.bot(i);
    yard.queue('a', { pending: 3 });
    const matches = [];
    for (let match = yard.openings.next(); match; match = yard.openings.next()) {
      matches.push(match);
      match.taker.credit--;
      yard.openings.toTheEnd(match.taker);
      yard.openings.claimBegins(match.queues);
    }
    expect(matches.map(({ taker }) => taker.botId)).toEqual(['bot-0', 'bot-1', 'bot-2']);
  });
});

describe('memory', () => {
  test('has queues, campaigns and kinds with work, and a bounded number of those before', () => {
    const yard = new Yard();
    yard.bot(0, {}, 1_000_000);
    for (let i = 0; i < 10_000; i++) {
      yard.queue(`c-${i}`, { memory_mib: i % 1000 });
      expect(yard.take()?.campaign).toBe(`c-${i}`);
    }
    const { queues, campaigns } = yard.openings.sizes;
    expect(queues).toBeLessThanOrEqual(1000);
    expect(campaigns).toBeLessThanOrEqual(1000);
  });

  test('keeps no bots that have left', () => {
    const yard = new Yard();
    for (let i = 0; i < 300; i++) yard.openings.leave(yard.bot(i, { labels: { n: `${i}` } }));
    yard.queue('a');
    expect(yard.take()).toBeUndefined();
    yard.bot(1, { labels: { n: '1' } });
    expect(yard.take()?.campaign).toBe('a');
  });
});

describe('turns', () => {
  test('go by weight, whatever the kinds and offers are', () => {
    const yard = new Yard();
    yard.fairShare.set('heavy', { weight: 3, maxParallel: 0 });
    for (const campaign of ['heavy', 'light'])
      for (let i = 0; i < 5; i++) yard.queue(campaign, { memory_mib: i, pending: 1000 });
    const counts = new Map<string, number>();
    for (let i = 0; i < 40; i++) yard.bot(i, { labels: { n: `${i % 7}` } }, 1);
    for (let i = 0; i < 40; i++) {
      const campaign = yard.take(1000)?.campaign ?? 'none';
      counts.set(campaign, (counts.get(campaign) ?? 0) + 1);
    }
    expect(counts.get('heavy')).toBeGreaterThanOrEqual(29);
    expect(counts.get('light')).toBeGreaterThanOrEqual(9);
  });

  test('pass over a campaign whose jobs all leave the bot out, for that bot alone', () => {
    const yard = new Yard();
    yard.bot(0);
    yard.queue('a', { other_than_bot_id: 'bot-0' });
    expect(yard.take()).toBeUndefined();
    const other = yard.bot(1);
    expect(yard.take()?.taker).toBe(other);
    yard.queue('b');
    expect(yard.take()?.taker.botId).toBe('bot-0');
  });
});
