import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerBot } from '../../src/store/ops/bots/register-bot.js';
import { putArtifact } from '../../src/store/ops/corpus/put-artifact.js';
import { completeJob } from '../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { acknowledgeLease } from '../../src/store/ops/leases/acknowledge-lease.js';
import { claimJob } from '../../src/store/ops/scheduling/claim-job.js';
import { LoopDelay } from '../latencies.js';
import * as input from './inputs.js';
import { inFlight, type Side, throughStore } from './sides.js';

/**
 * `node dist/bench/store/engines.js [POSTGRES_URL]`: CPU of a whole job (created, claimed,
 * acknowledged, completed) on SQLite, or on the PostgreSQL server of the URL, which must run on
 * this machine and have nothing else to do. CPU, not wall time: it means the same on a busy machine.
 */

const jobs = 2000;
const rounds = 5;

/** CPU of all processes of PostgreSQL on this machine, with those that have ended, seconds. */
function serverSeconds(): number {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      if (!stat.includes('(postgres)')) continue;
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      ticks += (fields[11] ?? 0) + (fields[12] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}

const ownSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function round(side: Side): Promise<void> {
  await side.all(createJob, Array.from({ length: jobs }, input.newJob));
  const claims = Array.from({ length: jobs }, () => ({ ...input.claim(), acknowledged: false }));
  const { outputs } = await side.all(claimJob, claims);
  const claimed = outputs.flatMap((job) => job ?? []);
  const taken = claimed.map(({ id: jobId, attempt, fence }) => {
    return { jobId, attempt, fence, botId: input.bot.id, now: Date.now() };
  });
  await side.all(acknowledgeLease, taken);
  await side.all(completeJob, claimed.map(input.completion));
  if (claimed.length !== jobs) throw new Error(`claimed ${claimed.length} of ${jobs} jobs`);
}

const url = process.argv[2] ?? '';
const directory = mkdtempSync(join(tmpdir(), 'pandafuzz-engines-'));
const side = await throughStore(directory, new LoopDelay(), 'full', url);
await side.run(putArtifact, input.target);
await side.run(registerBot, input.bot);
await round(side); // warms up
for (let at = 0; at < rounds; at++) {
  const [own, server, began] = [ownSeconds(), serverSeconds(), performance.now()];
  await round(side);
  const us = (seconds: number) => Math.round((seconds * 1e6) / jobs);
  const perSecond = Math.round((jobs * 1000) / (performance.now() - began));
  const figures = { master: us(ownSeconds() - own), database: us(serverSeconds() - server) };
  process.stdout.write(`${JSON.stringify({ ...figures, perSecond, inFlight })}\n`);
}
await side.close();
rmSync(directory, { recursive: true, force: true });
