import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { newId } from '../../src/core/ids.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { Crew } from '../fleet/crew.js';
import { pinLoad } from '../processes.js';
import { engine, Stage, sendCrash } from '../stage.js';
import { fill, fillBots, fillTargets } from '../store/fill.js';
import { type Figures, figuresOf, heads, openOverviews } from './figures.js';

/**
 * `make bench-page`: the page in a real Chromium, on a master with a large fleet whose bots beat
 * and with very many jobs. Bots and the browser share a core, the master has the other.
 */

const { values } = parseArgs({
  options: {
    bots: { type: 'string', default: '10000' },
    beating: { type: 'string' },
    jobs: { type: 'string', default: '1000000' },
    targets: { type: 'string', default: '200' },
    crashes: { type: 'string', default: '500' },
    only: { type: 'string' },
    seconds: { type: 'string', default: '20' },
  },
});
const [bots, jobs, targets] = [Number(values.bots), Number(values.jobs), Number(values.targets)];
/** Bots that are there; on a machine that cannot carry all of them, the others are known and away. */
const beating = Number(values.beating ?? values.bots);
const [crashes, seconds] = [Number(values.crashes), Number(values.seconds)];
const allRoutes = ['/', '/bots', '/jobs', '/jobs?state=pending', '/groups', '/events', '/system'];
const routes = allRoutes.filter((route) => route === (values.only ?? route));
/** Overviews that are open at once, for what they cost the master. */
const tabs = 8;

const say = (line: string) => process.stderr.write(`bench-page: ${line}\n`);

/** A port that is free now: the master has it for as long as this takes. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Jobs that wait, a run on every bot, and crashes of one of them. */
async function stocked(stage: Stage): Promise<Crew> {
  const { spec, connection, master } = stage;
  const text = JSON.stringify(JobSpec.toJSON(spec));
  const job = { engine, targetSha256: spec.targetSha256, targetName: 'bench', spec: text };
  const botIds = await stage.registerBots(beating);
  await stage.restart(settings, () => {
    fill(master.directory, jobs, job, targets);
    fillBots(master.directory, bots - beating);
    fillTargets(master.directory, 'bench', targets, Date.now());
  });
  say(`${jobs} jobs of ${targets} targets wait, ${bots} bots are known`);
  const lease = await stage.pullJob(botIds[0] ?? '');
  for (let count = 0; count < crashes; count++) {
    await sendCrash(connection, lease, resolve(root, newId()), 64);
  }
  const crew = new Crew(stage, botIds);
  await crew.takeJobs();
  say(`${beating} bots have a run each and beat`);
  return crew;
}

async function measure(stage: Stage): Promise<void> {
  const crew = await stocked(stage);
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    const cpuShare = async () => {
      const before = stage.master.cpuSeconds();
      await sleep(seconds * 1000);
      return ((stage.master.cpuSeconds() - before) / seconds) * 100;
    };
    const alone = await cpuShare();
    const all: Figures[] = [];
    for (const route of routes) {
      const figures = await figuresOf(browser, origin + route, seconds);
      say(`${route}: ${figures.cells.join(' ')}`);
      for (const { wallMs, cpuMs, parts } of figures.tasks) {
        say(`  a task of ${wallMs.toFixed(1)} ms, CPU ${cpuMs.toFixed(1)}: ${parts}`);
      }
      all.push(figures);
    }
    const close = await openOverviews(browser, origin, tabs);
    const watched = await cpuShare();
    await close();
    console.log(`| route | ${heads.join(' | ')} |\n|---|${heads.map(() => '---').join('|')}|`);
    for (const [index, figures] of all.entries()) {
      console.log(`| \`${routes[index]}\` | ${figures.cells.join(' | ')} |`);
    }
    const [before, after] = [alone.toFixed(1), watched.toFixed(1)];
    console.log(
      `\nThe master's CPU, percent of a core: ${before} without a page, ${after} with ${tabs} overviews.`,
    );
  } finally {
    await browser.close();
    crew.leave();
  }
}

await pinLoad();
mkdirSync('data', { recursive: true });
const root = resolve(mkdtempSync('data/bench-page-'));
const folder = () => mkdtempSync(`${root}/`);
const http = `127.0.0.1:${await freePort()}`;
const origin = `http://${http}`;
// As the fleet of `make bench`.
const settings = {
  PANDAFUZZ_HTTP_ADDRESS: http,
  PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '30s',
  PANDAFUZZ_LEASES_TTL: '90s',
};
await Stage.with({ folder } as Parameters<typeof Stage.with>[0], settings, measure).finally(() =>
  rmSync(root, { recursive: true, force: true }),
);
