import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { NotFoundError } from '../../src/core/errors.js';
import { newId } from '../../src/core/ids.js';
import { chanceOf } from '../../src/store/campaign-forecast.js';
import type { FuzzCampaignRow } from '../../src/store/campaign-rows.js';
import { createCampaign } from '../../src/store/ops/campaigns/create-campaign.js';
import { moveCampaign } from '../../src/store/ops/campaigns/move-campaign.js';
import { pruneArchived } from '../../src/store/ops/campaigns/prune-archived.js';
import { settleRun } from '../../src/store/ops/campaigns/settle-run.js';
import { showCampaign } from '../../src/store/ops/campaigns/show-campaign.js';
import { updateCampaign } from '../../src/store/ops/campaigns/update-campaign.js';
import { recordCrash } from '../../src/store/ops/crashes/record-crash.js';
import { completeJob } from '../../src/store/ops/jobs/complete-job.js';
import { claimJob } from '../../src/store/ops/scheduling/claim-job.js';
import type { Store } from '../../src/store/store.js';
import { openStore, temporaryFolder, testContext } from '../harness.js';
import { given } from '../steps.js';
import { completeInput, crashInput, jobInput, target, withBot, withTarget } from './inputs.js';

const hour = 3_600_000;
const key = 'p/png';
const asked = {
  ...{ campaign: key, requiredEngine: 'libfuzzer', labels: '{}' },
  ...{ memoryMib: 0, diskMib: 0, otherThanBotId: '' },
};

/** A campaign of one build, whose runs of 20 minutes end one after the other. */
class Campaign {
  #now = 1000;
  #revision = 1;

  private constructor(
    readonly store: Store,
    readonly directory: string,
    readonly id: string,
    private readonly botId: string,
    private readonly queue: number,
  ) {}

  static async open(): Promise<Campaign> {
    const directory = temporaryFolder();
    const store = await openStore({ directory });
    await withTarget(store);
    const botId = await withBot(store);
    const id = newId();
    const loaded = await store.run(testContext(), createCampaign, {
      ...{ id, requestId: null, project: 'p', name: 'png', key, targetName: 'png', spec: '{}' },
      ...{ weight: 1, maxParallel: 0, dueAt: null, now: 1, arms: [Campaign.#arm(target.sha256)] },
    });
    return new Campaign(store, directory, id, botId, given(loaded.queues[0]).id);
  }

  static #arm = (targetSha256: string) => ({
    ...{ build: 'one', targetSha256, spec: JSON.stringify({ name: `one ${targetSha256}` }) },
    ...{ seedsSha256: null, dictionarySha256: null, ...asked },
  });

  /** A run of 20 minutes that meets these crashes, each by the letter of its signature. */
  async run({ finds = false, meets = '' } = {}): Promise<void> {
    const { store } = this;
    const job = { ...jobInput({ now: this.#now }), project: 'p', campaign: key, targetName: 'png' };
    const claimed = await store.run(testContext(), claimJob, {
      ...{ botId: this.botId, queues: [this.queue], ttlMs: 1000, acknowledged: true },
      run: {
        campaignId: this.id,
        revision: this.#revision,
        build: 'one',
        plannedMs: 1_200_000,
        job,
      },
      now: this.#now,
    });
    const lease = given(claimed);
    for (const letter of meets) {
      await store.run(testContext(), recordCrash, { ...crashInput(lease, letter, letter) });
    }
    this.#now += 1_200_000;
    const statistics = { elapsedMs: 1_200_000, loadedCoverage: 3, coverage: finds ? 4 : 3 };
    const end = { ...completeInput(lease), statistics: JSON.stringify(statistics), now: this.#now };
    await store.run(testContext(), completeJob, end);
    await store.run(testContext(), settleRun, { jobId: lease.id, now: this.#now });
  }

  async runs(count: number, of: { finds?: boolean; meets?: string } = {}): Promise<void> {
    for (let i = 0; i < count; i++) await this.run(of);
  }

  async newBuild(): Promise<void> {
    await withTarget(this.store);
    const { sha256 } = target;
    await this.store.run(testContext(), updateCampaign, {
      ...{ id: this.id, revision: 0, spec: '{}', weight: 1, maxParallel: 0, dueAt: null },
      ...{ changes: [], isOver: false, now: this.#now },
      arms: [{ ...Campaign.#arm(sha256), build: 'two' }],
    });
    this.#revision++;
  }

  async archive(): Promise<void> {
    await this.store.run(testContext(), moveCampaign, {
      ...{ id: this.id, to: 'archived', reason: 'r', dueAt: null, stopping: 0, now: this.#now },
      from: ['active'],
    });
  }

  async now() {
    const named = { project: 'p', text: 'png', earlier: 1, history: 1, runs: 1 };
    return this.store.run(testContext(), showCampaign, named);
  }
}

const groupsOf = ({ group_runs, groups_met, groups_once }: FuzzCampaignRow) => [
  ...[group_runs, groups_met, groups_once],
];

test('an hour after a forecast it is compared with what came, and the next one is made', async () => {
  const campaign = await Campaign.open();
  await campaign.runs(11, { finds: true });
  expect((await campaign.now()).campaign.forecast_until_ms).toBeNull();
  await campaign.run({ finds: true });
  const { campaign: made, forecasts: none } = await campaign.now();
  expect(none).toEqual([]);
  const { forecast_from_ms, forecast_until_ms, forecast_hits: hits, forecast_ms: ms } = made;
  expect([forecast_from_ms, forecast_until_ms]).toEqual([4 * hour, 5 * hour]);
  // Sums that fade: of 12 runs, all of which found something.
  expect(hits).toBeGreaterThan(3);
  expect(hits).toBeLessThan(12);
  await campaign.runs(2);
  expect((await campaign.now()).forecasts).toEqual([]);
  await campaign.run();
  const said = chanceOf({ hits, ms }, hour);
  const bin = Math.floor(said * 10);
  const missed = await campaign.now();
  expect(missed.forecasts).toEqual([{ bin, forecasts: 1, said, came: 0 }]);
  expect(missed.campaign.forecast_from_ms).toBe(5 * hour);
  // A find in the midst of the hour.
  await campaign.run({ finds: true });
  await campaign.runs(2);
  const { forecasts } = await campaign.now();
  expect(forecasts.reduce((sum, one) => sum + one.forecasts, 0)).toBe(2);
  expect(forecasts.reduce((sum, one) => sum + one.came, 0)).toBe(1);
});

test('groups that one run alone met are counted, and start over with a new build', async () => {
  const campaign = await Campaign.open();
  await campaign.run({ meets: 'bc' });
  expect(groupsOf((await campaign.now()).campaign)).toEqual([1, 2, 2]);
  await campaign.run({ meets: 'c' });
  await campaign.run({ meets: 'cd' });
  expect(groupsOf((await campaign.now()).campaign)).toEqual([3, 3, 2]);
  await campaign.runs(12, { meets: 'b' });
  const { campaign: before } = await campaign.now();
  expect(groupsOf(before)).toEqual([15, 3, 1]);
  expect(before.forecast_until_ms).not.toBeNull();
  await campaign.newBuild();
  const { campaign: after } = await campaign.now();
  expect(groupsOf(after)).toEqual([0, 0, 0]);
  expect(after.forecast_until_ms).toBeNull();
  await campaign.run({ meets: 'b' });
  expect(groupsOf((await campaign.now()).campaign)).toEqual([1, 1, 1]);
});

/** What is on disk of a campaign. */
function rowsOf({ directory }: Campaign) {
  const db = new Database(join(directory, 'pandafuzz.db'), { readonly: true });
  const count = (table: string) =>
    db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  try {
    return { groups: count('campaign_groups'), history: count('campaign_history') };
  } finally {
    db.close();
  }
}

test('groups of earlier builds are deleted, and those of an archived campaign in slices', async () => {
  const campaign = await Campaign.open();
  await campaign.run({ meets: 'bcdefgh' });
  expect(rowsOf(campaign).groups).toBe(7);
  await campaign.newBuild();
  await campaign.run({ meets: 'b' });
  expect(rowsOf(campaign).groups).toBe(1);
  expect(groupsOf((await campaign.now()).campaign)).toEqual([1, 1, 1]);
  await campaign.run({ meets: 'bcde' });
  expect(rowsOf(campaign).groups).toBe(4);

  const { history } = rowsOf(campaign);
  const prune = (limit: number) =>
    campaign.store.run(testContext(), pruneArchived, { olderThan: 9 * hour, limit });
  await campaign.archive();
  expect(await prune(3)).toBe(3);
  expect(rowsOf(campaign)).toEqual({ groups: 1, history: history + 1 });
  expect(await prune(3)).toBe(3);
  expect(rowsOf(campaign)).toEqual({ groups: 0, history: history - 1 });
  expect(await prune(100)).toBeLessThan(100);
  expect(rowsOf(campaign)).toEqual({ groups: 0, history: 0 });
  await expect(campaign.now()).rejects.toThrow(NotFoundError);
});

test('a run that is counted twice changes no sum', async () => {
  const campaign = await Campaign.open();
  await campaign.runs(13, { finds: true, meets: 'b' });
  const before = await campaign.now();
  const jobId = given(before.runs[0]);
  await campaign.store.run(testContext(), settleRun, { jobId, now: 9 });
  expect(await campaign.now()).toEqual(before);
});
