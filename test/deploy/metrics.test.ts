import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { unary } from '../../src/client/call.js';
import { formatAddress } from '../../src/config/quantities.js';
import { JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import { runMasterFor, shared, temporaryFolder } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, eventually, registerBot } from '../steps.js';
import { labelsIn, missingIn } from './used-metrics.js';

const rulesFile = 'deploy/prometheus/pandafuzz.rules.yml';
const dashboardFile = 'deploy/grafana/pandafuzz.json';
const looks = { PANDAFUZZ_RETENTION_SAMPLE_INTERVAL: '1s' };
/** As hostile as names may be. */
const names = { project: 'png', targetName: 'read"\\n{} # x', campaign: 'a\\b"c\\' };
const series =
  'project="png",target="read\\"\\\\n{} # x",campaign="a\\\\b\\"c\\\\",engine="libfuzzer"';

type Running = Awaited<ReturnType<typeof runMasterFor>>;

async function pageOf({ master }: Running): Promise<string> {
  return (await fetch(`http://${formatAddress(master.http)}/metrics`)).text();
}

/** Figures come from reads of the store, and one that takes long leaves its lines out of a page. */
const pageWith = (running: Running, lines: readonly string[]) =>
  eventually(async () => {
    const page = await pageOf(running);
    return lines.every((line) => page.includes(`\n${line}\n`)) ? page : undefined;
  });

const figures = [
  `pandafuzz_executions_total{${series}} 42`,
  `pandafuzz_executions_per_second{${series}} 7`,
  `pandafuzz_fuzzing_seconds_total{${series}} 0.001`,
  `pandafuzz_crash_hits_total{${series}} 3`,
  `pandafuzz_crash_groups_found_total{${series}} 0`,
  `pandafuzz_runs{${series}} 1`,
  `pandafuzz_coverage{${series}} 12`,
  `pandafuzz_features{${series}} 34`,
  'pandafuzz_corpus_inputs{project="png",target="read\\"\\\\n{} # x"} 0',
  'pandafuzz_campaign_jobs{campaign="a\\\\b\\"c\\\\",state="running"} 1',
  'pandafuzz_campaign_jobs{campaign="other",state="pending"} 0',
  'pandafuzz_jobs{state="running"} 1',
  'pandafuzz_bots{state="ready"} 1',
  'pandafuzz_bots{state="offline"} 1',
  'pandafuzz_ready 1',
];
const afterRestart = [
  `pandafuzz_executions_total{${series}} 42`,
  `pandafuzz_crash_hits_total{${series}} 3`,
  `pandafuzz_runs{${series}} 0`,
];

/** The page of a master whose bot fuzzes, and that of the next master with the same data. */
async function life() {
  const directory = temporaryFolder();
  const running = await runMasterFor(looks, directory);
  const { connection, master } = running;
  const id = (await registerBot(connection)).id;
  await registerBot(connection, 'one-that-never-comes');
  await createJob(connection, names);
  const bot = new ScriptedBot(connection, id);
  await bot.hello(1);
  const lease = await bot.take();
  const executed = { executions: 42, executionsPerSecond: 7, coverage: 12, features: 34 };
  const statistics = JobStatistics.create({ ...executed, crashHits: 3, elapsedMs: 1 });
  const leases = [{ lease, phase: 2, statistics }];
  bot.say({ $case: 'beat', value: { sequence: 1, freeSlots: 0, leases, resources: undefined } });
  await bot.hear('beatAck');
  const page = await pageWith(running, figures);
  await unary(connection.bots, connection.bots.drainBot, { botId: id });
  const drained = await pageWith(running, [
    'pandafuzz_bots{state="draining"} 1',
    'pandafuzz_bots{state="ready"} 0',
  ]);
  bot.leave();
  await master.stop();
  const next = await pageWith(await runMasterFor(looks, directory), afterRestart);
  return { page, drained, next };
}

let pages: Awaited<ReturnType<typeof life>>;
beforeAll(async () => {
  pages = await shared(life);
});

describe('/metrics of a master that fuzzes', () => {
  test('has figures by project, target, campaign and engine, and escapes their names', () => {
    const { page } = pages;
    for (const line of figures) {
      expect(page).toContain(`\n${line}\n`);
    }
    expect(page).toMatch(/\npandafuzz_disk_free_bytes [1-9]/);
  });

  test('counts bots by state as they change, and goes on where it was after a restart', () => {
    const { drained, next } = pages;
    expect(drained).toContain('\npandafuzz_bots{state="ready"} 0\n');
    for (const line of afterRestart) expect(next).toContain(`\n${line}\n`);
  });
});

interface Rule {
  alert: string;
  expr: string;
  annotations: Record<string, string>;
}
interface Panel {
  title: string;
  targets?: { expr: string; legendFormat: string }[];
}

describe('alerts and dashboard', () => {
  test('name metrics and labels that a master has', () => {
    const known = labelsIn(pages.page);
    const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(15);
    for (const { alert, expr, annotations } of rules) {
      const text = Object.values(annotations).join('\n');
      expect([alert, ...missingIn(known, expr, text)]).toEqual([alert]);
    }
    const dashboard = JSON.parse(readFileSync(dashboardFile, 'utf8'));
    const queries = (dashboard.panels as Panel[]).flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
    );
    expect(queries.length).toBeGreaterThan(30);
    for (const { title, expr, legendFormat } of queries) {
      expect([title, ...missingIn(known, expr, legendFormat)]).toEqual([title]);
    }
    const variables = (dashboard.templating.list as { definition?: string }[]).flatMap(
      ({ definition }) => /^label_values\((\w+), (\w+)\)$/.exec(definition ?? '')?.slice(1) ?? [],
    );
    expect(variables).toEqual(['pandafuzz_build_info', 'instance', ...variables.slice(2)]);
    expect(known.get('pandafuzz_executions_total')).toContain(variables[3]);
  });

  test.each([
    ['sum by (project) (rate(no_such[5m]))', '', ['no_such', 'project']],
    ['pandafuzz_jobs{state="x", place=~"y"} > 0', '', ['pandafuzz_jobs{place}']],
    ['max by (instance, planet) (pandafuzz_jobs offset 12h)', '', ['planet']],
    ['pandafuzz_jobs == 0', '{{colour}} of {{ $labels.size }} {{state}}', ['colour', 'size']],
  ])('of which %s would be found', (expression, text, missing) => {
    const known = labelsIn(pages.page);
    const found = missingIn(known, expression, text);
    expect(found.sort()).toEqual([...missing].sort());
  });

  const promtool = 'promtool';
  const hasPromtool = spawnSync(promtool, ['--version']).status === 0;
  const checked = 'hold before promtool';
  const body = () => {
    const { page } = pages;
    const rules = spawnSync(promtool, ['check', 'rules', rulesFile], { encoding: 'utf8' });
    expect(rules.stderr + rules.stdout).toMatch(/SUCCESS: \d+ rules found/);
    expect(rules.status).toBe(0);
    // Exit code 3 is advice about names; 1 is a page that Prometheus would not read.
    const read = spawnSync(promtool, ['check', 'metrics'], { input: page, encoding: 'utf8' });
    expect([0, 3]).toContain(read.status);
    expect(read.stderr).not.toMatch(/pandafuzz_|error while/);
  };
  if (hasPromtool) test(checked, body);
  else test.skip(`${checked} (skipped: this machine has no promtool)`, body);
});
