import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { age, grouped, si, spark } from '../../src/core/figures.js';
import { CampaignState } from '../../src/gen/pandafuzz/v1/campaign_service.js';
import { JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import { Health, TargetProgress } from '../../src/gen/pandafuzz/v1/statistics_service.js';
import { GetSystemStatsResponse } from '../../src/gen/pandafuzz/v1/system_service.js';
import { draw, type View } from '../../src/operator/top/draw.js';
import type { TopState } from '../../src/operator/top/state.js';
import { createJob, pulledLease } from '../steps.js';
import { atWork } from './at-work.js';
import { pandafuzz } from './run.js';

test('top shows what is wrong first, by cause, and ends', async () => {
  const { run, connection } = await atWork();
  const { jobs } = connection;
  await createJob(connection, { targetName: 'png_read', project: 'png' });
  await createJob(connection, { targetName: 'json' });
  const lease = await pulledLease(connection);
  const message = 'library libpng16.so.16 is missing';
  const result = { outcome: JobOutcome.FAILED, message, final: true, statistics: undefined };
  await unary(jobs, jobs.completeJob, { lease, result });

  const shown = await run('top', '--why');
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).not.toContain('\u001b');
  const lines = shown.out.split('\n');
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(shown.out).toMatch(
    /^WRONG \(2\)\nx png\/png_read {2}library libpng16\.so\.16 is missing/m,
  );
  expect(shown.out).toMatch(/^x json +its jobs wait, and no bot is online$/m);
  expect(shown.out).toMatch(/^ {4}pandafuzz bot, on any machine$/m);
  expect(shown.out).toMatch(/^ png\/png_read +cannot fuzz +– /m);
  expect(shown.out).toMatch(/^ json +no bots +– /m);

  const answer = JSON.parse((await run('top', '--json', '--project', 'png')).out);
  expect(answer).toMatchObject({
    stats: { jobs: { dead: 1, pending: 1 } },
    targets: [{ project: 'png', health: 'HEALTH_CANNOT_FUZZ', reason: message }],
  });
});

test('top that finds no master exits with 69, as other commands do', async () => {
  const ran = await pandafuzz(['top', '-1', '--master', '127.0.0.1:1']);
  expect(ran).toMatchObject({
    code: 69,
    err: expect.stringMatching(/^pandafuzz: no master answers/),
  });
});

describe('the picture', () => {
  const at = new Date('2026-11-28T03:53:06Z');
  const target = (index: number): TargetProgress =>
    TargetProgress.create({
      project: 'default',
      name: `a-target\u001b[31m-with-quite-a-long-name-that-has-to-be-cut-${index}`,
      health: Health.FINDING,
      reason: 'last find 4 m ago',
      lastFindAt: new Date(at.getTime() - 19 * 3_600_000 - 1_200_000),
      executionsPerSecond: 41_234_567,
      running: 800,
      openGroups: 12,
      engines: [
        {
          engine: 'libfuzzer',
          coverage: 1_234_567,
          gained: 1,
          hours: [
            ...Array(12).fill({}),
            ...[...Array(12).keys()].map((coverage) => ({ coverage })),
          ],
        },
      ],
    });
  const state: TopState = {
    address: 'fleet-a:50051',
    at,
    stats: GetSystemStatsResponse.create({ version: '0.3.0', botsOnline: 9981, botsTotal: 10_000 }),
    problems: Array.from({ length: 9 }, (_, index) => ({
      ...{ kind: 3, isBad: true, object: `${index + 2} bots`, sentence: 'disk full '.repeat(20) },
      ...{ since: new Date(0), remedy: 'free space', count: index + 2, ids: [] },
    })),
    targets: Array.from({ length: 40 }, (_, index) => target(index)),
    areMore: false,
    groups: [],
  };
  const view = (more: Partial<View>): View => ({
    ...{ columns: 80, rows: 24, isUtf8: true, sort: 'health', chosen: 0, why: false },
    ...{ line: 'live 1s', keys: 'q quit' },
    ...more,
  });

  test.each([
    [80, 24],
    [120, 40],
    [200, 60],
    [59, 14],
    [60, 15],
  ])('of %i columns and %i lines fits, and counts what does not', (columns, rows) => {
    const lines = draw(state, view({ columns, rows }));
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(lines.filter((line) => [...line].length > columns)).toEqual([]);
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(lines.some((line) => /^ {2}\+\d+ more/.test(line))).toBe(true);
    expect(lines.at(-1)).toBe('q quit');
  });

  test('keeps the chosen target in sight, with its reason', () => {
    const lines = draw(state, view({ chosen: 35, why: true }));
    const chosen = lines.findIndex((line) => line.startsWith('>'));
    expect(lines[chosen + 1]).toBe('    last find 4 m ago');
    expect(lines[chosen]).toMatch(/cut-35 finding +1,234,567 .* 19h20m +41\.2M +800 +0 +12$/);
  });

  test('has a line for each campaign, with what it may still find', () => {
    const forecast = { isKnown: true, chance: 0.38, sentences: ['it found.', 'it may find.'] };
    const campaigns = [
      {
        name: 'night',
        running: 7,
        executionsPerSecond: 1000,
        state: CampaignState.ACTIVE,
        forecast,
      },
      { name: 'old', state: CampaignState.PAUSED, stateReason: 'for the weekend' },
    ];
    const fuzzed = TargetProgress.create({ ...target(1), ...{ campaigns } });
    const byHand = TargetProgress.create({ ...target(2), name: 'by-hand' });
    const some = { ...state, targets: [fuzzed, byHand] };
    const wide = view({ columns: 120, rows: undefined, keys: undefined, why: true });
    const text = draw(some, wide).join('\n');
    expect(text).toMatch(/^ CAMPAIGN\/TARGET .* FIND +1H +EXEC\/S/m);
    expect(text).toMatch(
      /^ night +finding .* 19h20m +38% +1k +7 .*\n {4}last find 4 m ago\n {4}it found.\n {4}it may find.$/m,
    );
    expect(text).toMatch(/^ old +paused .* – {2}.*\n {4}for the weekend$/m);
    expect(text).toMatch(/^ by-hand +finding .* 41\.2M +800/m);
    const small = draw(some, view({ columns: 80, rows: 24, why: true }));
    expect(small.filter((line) => [...line].length > 80)).toEqual([]);
  });

  test('has figures of three digits, times of two units, and curves with gaps', () => {
    expect([0, 0.5, 12, 999, 1000, 12_345, 999_999, 41_234_567].map(si)).toEqual([
      '0',
      '0.5',
      '12',
      '999',
      '1k',
      '12.3k',
      '1M',
      '41.2M',
    ]);
    expect([0, 999, 23_410, 1_234_567].map(grouped)).toEqual(['0', '999', '23,410', '1,234,567']);
    const minute = 60_000;
    expect([4000, 4 * minute, 1160 * minute, 76 * 60 * minute].map(age)).toEqual([
      '4s',
      '4m',
      '19h20m',
      '3d4h',
    ]);
    const values = [undefined, 0, 5, 10];
    expect(spark(values, { width: 4, isUtf8: true })).toBe(' ▁▅█');
    expect(spark(values, { width: 4, isUtf8: false })).toBe(' _-^');
    expect(spark([7, 7], { width: 2, isUtf8: true })).toBe('▁▁');
  });
});
