import { expect, test } from '@jest/globals';
import { Bot } from '../../src/gen/pandafuzz/v1/bot.js';
import { CampaignEvent, FuzzingCampaign } from '../../src/gen/pandafuzz/v1/campaign_service.js';
import { Crash, CrashDecision, CrashGroup } from '../../src/gen/pandafuzz/v1/crash.js';
import { Campaign, Job } from '../../src/gen/pandafuzz/v1/job.js';
import { Target } from '../../src/gen/pandafuzz/v1/target.js';
import { fuzzingTable, historyTable } from '../../src/operator/campaigns/views.js';
import { crashTable, decisionTable, groupTable } from '../../src/operator/crashes/tables.js';
import { yamlText } from '../../src/operator/output.js';
import { botSorts, inOrder, jobSorts } from '../../src/operator/sorts.js';
import { whole } from '../../src/operator/table.js';
import { targetTable } from '../../src/operator/targets/table.js';
import { botTable, campaignTable, jobTable } from '../../src/operator/views.js';

const now = 1_800_000_000_000;
const long = 'a_name_as_long_as_some_people_give_their_targets_and_bots';
const time = new Date(now - 47 * 3_600_000);
const id = (digit: number) => `0198c0de-1234-7000-${digit}000-000000000000`;
const figures = { executions: 12_345_678_901, executionsPerSecond: 123_456, coverage: 98_765 };
const spec = { targetName: long, name: long, engine: 'aflplusplus', campaign: long };
const target = { project: long, targetName: long };
const group = { ...target, kind: 'heap-buffer-overflow', topFrame: long };

/** Two items each, whose ids differ in the last digit. */
const lists: Record<string, (width: number) => string> = {
  jobs: (width) => jobTable([1, 2].map(job), now, width),
  bots: (width) => botTable([1, 2].map(bot), now, width),
  groups: (width) => groupTable([1, 2].map(crashGroup), now, { width }),
  crashes: (width) => crashTable([1, 2].map(crash), now, width),
  decisions: (width) => decisionTable([1, 2].map(decision), now, width),
  campaigns: (width) => fuzzingTable([1, 2].map(campaign), now, width),
  history: (width) =>
    historyTable([CampaignEvent.create({ time, kind: 'build_replaced', text: long })], now, width),
  shares: (width) => campaignTable([Campaign.create({ key: `${long}/${long}`, weight: 1 })], width),
  targets: (width) =>
    targetTable(
      [Target.create({ project: long, name: long, builds: 123, newest: { registeredAt: time } })],
      now,
      width,
    ),
};

const job = (digit: number) =>
  Job.create({
    id: id(digit),
    state: digit,
    spec: { ...spec, engine: `${spec.engine}${digit}`, name: `${long}${digit}` },
    statistics: { ...figures, crashHits: 1_234_567, notes: [{ text: 'x' }] },
    createdAt: time,
  });

const bot = (digit: number) =>
  Bot.create({
    ...{ id: id(digit), name: `${long}${digit}`, slots: 128, runningJobs: 128, lastSeenAt: time },
    engineDetails: ['aflplusplus', 'libfuzzer', 'honggfuzz'].map((name) => ({
      name,
      version: '4.04c',
    })),
  });

const crashGroup = (digit: number) =>
  CrashGroup.create({
    ...{ ...group, id: id(digit), status: digit, targetName: `${long}${digit}` },
    ...{ crashHits: 1_234_567, crashInputsKept: 1_234_567, firstFoundAt: time, lastFoundAt: time },
  });

const crash = (digit: number) =>
  Crash.create({
    ...{ ...group, id: id(digit), jobId: id(digit), groupId: id(9), kind: `kind ${digit}` },
    ...{ hits: 1_234_567, inputSizeBytes: 123_456, late: true, foundAt: time },
  });

const decision = (digit: number) =>
  CrashDecision.create({
    ...{ id: id(digit), groupId: id(3), toGroupId: id(4), kind: 'merge', by: long, at: time },
    undoneAt: digit === 1 ? time : undefined,
  });

const campaign = (digit: number) =>
  FuzzingCampaign.create({
    ...{ id: id(digit), state: digit, running: 123, runs: 123_456, cpuSeconds: 12_345_678 },
    ...{ findingRuns: 12_345, crashGroups: 1234, lastFindAt: time },
    spec: { project: long, name: long, targetName: `${long}${digit}` },
  });

test.each(Object.keys(lists))(
  'a list of %s fits 80 columns, and shows all of it when wide',
  (name) => {
    const draw = lists[name] as (width: number) => string;
    for (const line of draw(80).split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
    const wide = draw(whole);
    expect(wide).toContain(long);
    expect(wide).not.toContain('…');
  },
);

test('a wide list has whole ids, and columns that others lack', () => {
  expect(jobTable([job(1)], now, whole)).toContain(id(1));
  expect(jobTable([job(1)], now, whole)).toMatch(/ campaign +bot +build$/m);
  expect(jobTable([job(1)], now, undefined)).not.toContain(id(1));
  expect(jobTable([job(1)], now, undefined)).not.toMatch(/ campaign/);
});

test('figures and times are sorted with the largest first, names by letters, and none last', () => {
  const bots = [
    { name: 'b', slots: 1, lastSeenAt: undefined },
    { name: 'a', slots: 3, lastSeenAt: new Date(1) },
    { name: 'c', slots: 2, lastSeenAt: new Date(2) },
  ].map((one) => Bot.create(one));
  const names = (sort: keyof typeof botSorts) =>
    inOrder(bots, botSorts[sort])
      .map(({ name }) => name)
      .join('');
  expect([names('name'), names('slots'), names('seen')]).toEqual(['abc', 'acb', 'cab']);
  expect(inOrder([Job.create({}), job(1)], jobSorts.hits)[0]?.id).toBe(id(1));
});

test('YAML has texts as they are, and escapes what a terminal would obey', () => {
  const text = yamlText({ a: 'no', b: ['x: y', '\u001b[31mred\u009b\u202e'], '\u202ek': 1 });
  expect(text).toBe('a: no\nb:\n  - "x: y"\n  - "\\e[31mred\\u009b\\u202e"\n"\\u202ek": 1\n');
});
