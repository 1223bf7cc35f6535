import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { formatAddress } from '../../src/config/quantities.js';
import { JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import { atEnd, runMasterFor, shared, temporaryFolder } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, eventually, registerBot } from '../steps.js';
import { usedIn } from './used-metrics.js';

/**
 * The dashboard and the alerts in a real Prometheus that scrapes a real master. It is Debian's
 * package `prometheus`; where there is none, test/deploy/metrics.test.ts compares names alone.
 */

const rulesFile = resolve('deploy/prometheus/pandafuzz.rules.yml');
const dashboardFile = 'deploy/grafana/pandafuzz.json';
const program = process.env['PROMETHEUS'] ?? 'prometheus';
const isThere = spawnSync(program, ['--version']).status === 0;

interface Series {
  readonly metric: Readonly<Record<string, string>>;
}

/** @returns where a master with a bot that fuzzes has its /metrics */
async function fuzzingMaster(): Promise<string> {
  const { connection, master } = await runMasterFor({
    PANDAFUZZ_RETENTION_SAMPLE_INTERVAL: '1s',
  });
  const bot = new ScriptedBot(connection, (await registerBot(connection)).id);
  await createJob(connection, { project: 'png', targetName: 'read', campaign: 'night' });
  await bot.hello(1);
  const lease = await bot.take();
  const figures = { executions: 42, executionsPerSecond: 7, coverage: 12, features: 34 };
  await bot.beat(0, [lease], JobStatistics.create({ ...figures, elapsedMs: 1000 }));
  return formatAddress(master.http);
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

/** @returns answers of its API to a path */
async function prometheusOf(target: string): Promise<(path: string) => Promise<unknown>> {
  const folder = temporaryFolder();
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rulesFile],
    scrape_configs: [{ job_name: 'pandafuzz', static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const address = await freeAddress();
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  );
  const isOver = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGKILL');
    await isOver;
  });
  return async (path) => {
    const answer = (await (await fetch(`http://${address}/api/v1/${path}`)).json()) as {
      status: string;
      error?: string;
      data: unknown;
    };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
}

/** Prometheus with some scrapes of the master, as a function that runs a query. */
async function scraped() {
  const ask = await prometheusOf(await fuzzingMaster());
  const query = async (text: string): Promise<readonly Series[]> => {
    const data = await ask(`query?query=${encodeURIComponent(text)}`);
    return (data as { result: readonly Series[] }).result;
  };
  await eventually(async () => {
    const seen = await query('count_over_time(pandafuzz_runs[5m]) >= 3').catch(() => []);
    return seen.length > 0 || undefined;
  });
  return { ask, query };
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

const namesIn = (legend: string) =>
  [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name = '']) => name);

/** As Grafana fills in what a panel asks for. */
const filledIn = (expression: string) =>
  expression.replaceAll('$__rate_interval', '5m').replaceAll(/\$(instance|project)/g, '.*');

const title = 'deploy/ in a real Prometheus';
const stories = () => {
  let at: Awaited<ReturnType<typeof scraped>>;

  test('every query of the dashboard has a series, with the labels of its legend', async () => {
    at = await shared(scraped);
    const { panels } = JSON.parse(readFileSync(dashboardFile, 'utf8')) as { panels: Panel[] };
    const queries = panels.flatMap(({ title, targets = [] }) =>
      targets.map((target) => ({ title, ...target })),
    );
    expect(queries.length).toBeGreaterThan(30);
    for (const { title, expr, legendFormat = '' } of queries) {
      const series = await at.query(filledIn(expr));
      const labels = Object.keys(series[0]?.metric ?? {});
      const missing = namesIn(legendFormat).filter((name) => !labels.includes(name));
      expect([title, expr, series.length > 0, missing]).toEqual([title, expr, true, []]);
    }
    expect(await at.query('no_such_metric')).toEqual([]);
  });

  test('every alert is evaluated, and each metric in it has a series with the labels it reads', async () => {
    const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
      groups: readonly {
        readonly rules: readonly { readonly alert: string; readonly expr: string }[];
      }[];
    };
    for (const { alert, expr } of groups.flatMap(({ rules }) => rules)) {
      for (const { metric, labels } of usedIn(expr).selected) {
        const [series] = await at.query(metric);
        const missing = labels.filter((label) => series?.metric[label] === undefined);
        expect([alert, metric, series !== undefined, missing]).toEqual([alert, metric, true, []]);
      }
    }
    const rules = await eventually(async () => {
      const all = (
        (await at.ask('rules')) as { groups: { rules: { health: string }[] }[] }
      ).groups.flatMap((group) => group.rules);
      return all.some(({ health }) => health === 'unknown') ? undefined : all;
    });
    expect(rules.length).toBeGreaterThan(15);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
};

if (isThere) describe(title, stories);
else describe.skip(`${title} (skipped: this machine has no prometheus)`, stories);
