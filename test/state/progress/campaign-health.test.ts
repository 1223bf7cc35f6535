import { describe, expect, test } from '@jest/globals';
import { campaignHealth, stuckBy } from '../../../src/state/progress/campaign-health.js';

const hour = 3_600_000;
const now = 100 * hour;
const campaign = { state_since: now - 10 * hour, last_find_at: now - 60_000 };
const facts = {
  ...{ now, running: 1, leases: 1, executions: 1000, foundAt: undefined, botsOnline: 1 },
  ...{ held: '', obstacle: '' },
};

function wordOf(more: object, row: object = {}): string {
  const all = { ...facts, ...more };
  return stuckBy(campaignHealth({ ...campaign, ...row }, all), all);
}

describe('an active campaign', () => {
  test('that finds something is not stuck', () => {
    expect(wordOf({})).toBe('');
    expect(wordOf({ foundAt: now - 1000 }, { last_find_at: null })).toBe('');
  });

  test.each([
    ['flat', {}, { last_find_at: now - 5 * hour }],
    ['cannot fuzz', { held: 'held: 3 runs on end died early' }, {}],
    ['cannot fuzz', { executions: 0 }, {}],
    ['no bots', { running: 0, leases: 0, botsOnline: 0 }, {}],
    ['waiting', { running: 0, leases: 0, obstacle: '1 of 1 bots online: no engine' }, {}],
  ])('is stuck: %s', (word, more, row) => {
    expect(wordOf(more, row)).toBe(word);
  });

  test('is not stuck while a bot starts a run of it', () => {
    expect(wordOf({ running: 0, executions: 0, obstacle: 'the bot has no free slot' })).toBe('');
  });

  test('says what is in its way', () => {
    const idle = { ...facts, running: 0, leases: 0, obstacle: 'libfuzzer: no bot has it' };
    expect(campaignHealth(campaign, idle).reason).toBe('libfuzzer: no bot has it');
  });
});
