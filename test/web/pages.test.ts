import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { unary } from '../../src/client/call.js';
import { BotState } from '../../src/gen/pandafuzz/v1/bot.js';
import { CampaignState } from '../../src/gen/pandafuzz/v1/campaign_service.js';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { shared } from '../harness.js';
import { createJob, eventually, given } from '../steps.js';
import { openBrowser, openTab, type Trouble, whenLive } from './browser.js';
import { groupTests } from './group.js';
import { layoutTests } from './layout.js';
import { lineTests } from './line.js';
import { providerTests } from './provider.js';
import { type Scene, scene } from './scene.js';
import type { Stage } from './stage.js';

let at: Scene;
let browser: Browser;
let tab: Page;
let trouble: Trouble;
const stage = {} as { -readonly [Part in keyof Stage]: Stage[Part] };

beforeAll(async () => {
  at = await shared(() => scene());
  browser = await shared(openBrowser);
  ({ tab, trouble } = await openTab(browser, at.origin));
  Object.assign(stage, { at, browser, tab, trouble });
});

/** One browser, one fleet, one tab for most: a second of each costs more than all the tests. */
describe('every page', () => layoutTests(stage));

const visit = async (path: string) => {
  await tab.goto(path);
  await whenLive(tab);
};

describe('the overview', () => {
  test('shows what is wrong first, then targets and new groups, in the words of the master', async () => {
    await visit('/');
    const headings = await tab.getByRole('heading', { level: 2 }).allInnerTexts();
    expect(headings.map((text) => text.trim())).toEqual([
      expect.stringMatching(/^Wrong now \(\d\)$/),
      'Targets',
      'Newest crash groups',
    ]);
    await tab.getByText('library libpng16.so.16 is missing').first().waitFor();
    const { problems } = await unary(
      at.connection.statistics,
      at.connection.statistics.listProblems,
      {},
    );
    for (const { sentence } of problems) await tab.getByText(sentence).first().waitFor();
    const row = tab.getByRole('row', { name: /png_read/ });
    await row.filter({ hasText: '2,043' }).first().waitFor();
    await tab.getByRole('link', { name: 'heap-buffer-overflow in repeat_row' }).waitFor();
  });

  test('paints within a second, and an update keeps the main thread for less than 100 ms', async () => {
    await visit('/');
    const paint = await tab.evaluate(
      `performance.getEntriesByName('first-contentful-paint')[0].startTime`,
    );
    await tab.evaluate(`
      window.tasks = [];
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.tasks.push(duration);
      }).observe({ type: 'longtask' });
    `);
    // Three rounds of questions and answers.
    for (let round = 0; round < 3; round++) {
      await tab.waitForResponse((response) => response.url().endsWith('/GetProgress'));
    }
    const tasks = (await tab.evaluate('window.tasks')) as number[];
    if (process.env['PICTURES']) console.log({ paint, tasks });
    expect(Number(paint)).toBeGreaterThan(0);
    expect(Number(paint)).toBeLessThan(1000 * slow);
    expect(tasks.filter((duration) => duration > 100 * slow)).toEqual([]);
  });
});

/** Other tests use the machine at the same time: budgets are those of docs/page.md times this. */
const slow = 10;

describe('a crash group', () => groupTests(stage));

describe('lists', () => {
  test('go by pages whose place and filters are in the address, there and back', async () => {
    const targetSha256 = given(at.running.spec).targetSha256;
    const queued = { targetSha256, targetName: 'many' };
    await Promise.all(Array.from({ length: 60 }, () => createJob(at.connection, queued)));
    await visit('/jobs?state=pending');
    expect(await tab.getByRole('combobox').inputValue()).toBe('pending');
    const first = await rows();
    expect(first).toHaveLength(50);
    await tab.keyboard.press(']');
    await tab.getByRole('link', { name: 'Previous page' }).waitFor();
    const second = await eventually(async () => {
      const now = await rows();
      return now.length > 0 && !now.some((row) => first.includes(row)) ? now : undefined;
    });
    const address = tab.url();
    await tab.keyboard.press('[');
    await eventually(async () => ((await rows())[0] === first[0] ? true : undefined));
    expect(await rows()).toEqual(first);
    await visit(address);
    expect(await rows()).toEqual(second);
    await tab.getByRole('button', { name: /state: pending/ }).click();
    await tab.waitForURL((url) => url.pathname + url.search === '/jobs');
    await tab.goto('/jobs?colour=red');
    await tab.getByText('This page does not know: colour').waitFor();
  });

  /** Their addresses: ids of one moment look alike. */
  const rows = (): Promise<string[]> =>
    tab.locator('tbody th a').evaluateAll((links) => links.map((link) => String(link.href)));

  test('are walked by keys, and led to by keys', async () => {
    await visit('/');
    await tab.keyboard.press('g');
    await tab.keyboard.press('g');
    await tab.waitForURL('**/groups');
    await tab.locator('tbody th a').first().waitFor();
    await tab.keyboard.press('j');
    await tab.keyboard.press('j');
    const chosen = await tab.locator('tbody th a').nth(1).getAttribute('href');
    await tab.keyboard.press('Enter');
    await tab.waitForURL(`**${chosen}`);
    await tab.keyboard.press('?');
    await tab.getByRole('dialog', { name: 'Keys' }).waitFor();
    await tab.keyboard.press('Escape');
  });
});

describe('buttons', () => {
  test('drain a bot and resume it', async () => {
    const { bots } = at.connection;
    const isDraining = async () =>
      given((await unary(bots, bots.getBot, { botId: at.bot.id })).bot).drainRequestedAt;
    await visit(`/bots/${at.bot.id}`);
    await tab.getByRole('button', { name: 'Drain' }).click();
    await tab.getByRole('button', { name: 'Resume' }).click();
    await tab.getByText('The bot is given jobs again.').waitFor();
    expect(await isDraining()).toBeUndefined();
    const { bot } = await unary(bots, bots.getBot, { botId: at.bot.id });
    expect(given(bot).state).not.toBe(BotState.DRAINING);
  });

  test('pause, resume, cancel and retry jobs', async () => {
    const { jobs } = at.connection;
    const state = async (jobId: string) =>
      given((await unary(jobs, jobs.getJob, { jobId })).job).state;
    await visit(`/jobs/${at.evil.id}`);
    await tab.getByRole('button', { name: 'Pause' }).click();
    await tab.getByRole('button', { name: 'Resume' }).waitFor();
    expect(await state(at.evil.id)).toBe(JobState.PAUSED);
    await tab.getByRole('button', { name: 'Resume' }).click();
    await tab.getByText(/is pending\.$/).waitFor();
    await tab.getByRole('button', { name: 'Cancel' }).first().click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Leave it' }).click();
    expect(await state(at.evil.id)).toBe(JobState.PENDING);
    await tab.getByRole('button', { name: 'Cancel' }).first().click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await tab.getByText(/is cancelled\.$/).waitFor();
    expect(await state(at.evil.id)).toBe(JobState.CANCELLED);

    await visit(`/jobs/${at.failing.id}`);
    await tab.getByText('library libpng16.so.16 is missing').first().waitFor();
    await tab.getByRole('button', { name: 'Retry' }).first().click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
    await tab.getByText(/is pending\.$/).waitFor();
  });

  test('pause and resume a campaign, whose page has curves of its target', async () => {
    const { campaigns } = at.connection;
    const state = async () =>
      given(
        (await unary(campaigns, campaigns.getCampaign, { project: '', campaign: at.campaign.id }))
          .campaign,
      ).state;
    await visit(`/campaigns/${at.campaign.id}`);
    await tab.getByText('Coverage, libfuzzer').first().waitFor();
    await tab.locator('canvas').first().waitFor();
    await tab.getByRole('button', { name: 'Pause' }).click();
    await tab.getByRole('button', { name: 'Resume' }).waitFor();
    expect(await state()).toBe(CampaignState.PAUSED);
    await tab.getByRole('button', { name: 'Resume' }).click();
    await tab.getByRole('button', { name: 'Pause' }).waitFor();
    expect(await state()).toBe(CampaignState.ACTIVE);
  });

  test('ids lead to their pages by their beginning', async () => {
    await visit('/');
    await tab.keyboard.press('f');
    await tab.keyboard.type(at.bot.id.slice(0, 20));
    await tab.keyboard.press('Enter');
    await tab.waitForURL(`**/bots/${at.bot.id}`);
  });

  test('nothing of all this asked anybody else, or was refused by the policy', () => {
    expect(trouble).toEqual({ faults: [], foreign: [] });
  });
});

test('the overview draws thirty targets, and the others when they are wanted', async () => {
  const { targetSha256 } = given(at.running.spec);
  for (let number = 0; number < 30; number++) {
    await createJob(at.connection, { targetSha256, targetName: `many-${number}` });
  }
  await visit('/');
  const rows = tab.getByRole('table', { name: 'Targets' }).getByRole('row');
  const all = tab.getByRole('button', { name: /^\+ \d+ targets$/ });
  await all.waitFor();
  expect(await rows.count()).toBe(1 + 30);
  await all.click();
  await tab.getByRole('button', { name: 'fewer' }).waitFor();
  expect(await rows.count()).toBeGreaterThan(1 + 30);
});

describe('the line to the master', () => lineTests(stage));

describe('a provider', () => providerTests(stage));
