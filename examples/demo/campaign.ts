import { writeFile } from 'node:fs/promises';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { sleep, systemClock } from '../../src/core/clock.js';
import { UserError } from '../../src/core/errors.js';
import { newId } from '../../src/core/ids.js';
import { CampaignSpec, type FuzzingCampaign } from '../../src/gen/pandafuzz/v1/campaign_service.js';
import { type Job, JobLimits } from '../../src/gen/pandafuzz/v1/job.js';
import { readyBuilds, sendInputs } from '../../src/operator/campaigns/builds.js';
import { documentOf } from '../../src/operator/campaigns/report/document.js';
import { gatherReport } from '../../src/operator/campaigns/report/gather.js';
import { htmlReport } from '../../src/operator/campaigns/report/html.js';
import { campaignDetails } from '../../src/operator/campaigns/views.js';
import { jobPages } from '../../src/operator/lists.js';
import { upTo } from '../../src/operator/pages.js';

/** The campaign of the demo. Its runs are short, so that several end within a minute. */
const runSeconds = 20;
/** For runs under way to end, and to be counted. */
const endWithinMs = 15_000;
const lookEveryMs = 500;
const mostRuns = 20;
const mostGroups = 20;

/** The name under which every try of the same demo finds its campaign again. */
const requestId = newId();

export async function createCampaign(
  connection: Connection,
  { target, seeds }: { target: string; seeds: string },
  signal: AbortSignal,
): Promise<FuzzingCampaign> {
  const wanted = { paths: [target], isChecked: true, project: '' };
  const { builds } = await readyBuilds(connection, wanted, { signal });
  const inputs = { seeds: [seeds], isChecked: true };
  const { seedsSha256 = '' } = await sendInputs(connection, inputs, { signal });
  const limits = { maxMemoryMib: 2048, inputTimeoutSeconds: 10, maxInputBytes: 4096 };
  const spec = CampaignSpec.create({
    ...{ name: 'demo', builds: [...builds], seedsSha256, runSeconds },
    limits: JobLimits.create(limits),
  });
  const { campaigns } = connection;
  const made = await unary(campaigns, campaigns.createCampaign, { spec, requestId }, { signal });
  if (!made.campaign) throw new UserError('the master sent no campaign');
  return made.campaign;
}

/** Its newest runs. */
export function runsOf(connection: Connection, { key }: FuzzingCampaign): Promise<Job[]> {
  const filter = { state: 0, project: '', targetName: '', campaign: key, since: undefined };
  return upTo(mostRuns, jobPages(connection, filter));
}

/** Pauses the campaign, and waits until its runs have ended and are counted. */
export async function endCampaign(
  { campaigns }: Connection,
  { id: campaign }: FuzzingCampaign,
  signal: AbortSignal,
): Promise<void> {
  const named = { project: '', campaign };
  const pause = { ...named, stopRuns: true, reason: 'the demo is over' };
  await unary(campaigns, campaigns.pauseCampaign, pause, { signal });
  const giveUpAt = systemClock.monotonic() + endWithinMs;
  while (systemClock.monotonic() < giveUpAt) {
    const { campaign: now, runIds } = await unary(campaigns, campaigns.getCampaign, named, {
      signal,
    });
    if (now?.running === 0 && now.runs >= runIds.length) return;
    await sleep(systemClock, lookEveryMs, signal);
  }
}

/** Writes its report to a file. @returns what it says in short */
export async function writeReport(
  connection: Connection,
  { id: campaign }: FuzzingCampaign,
  file: string,
  signal: AbortSignal,
): Promise<string> {
  const report = await gatherReport(connection, { project: '', campaign }, mostGroups, { signal });
  await writeFile(file, htmlReport(documentOf(report)));
  const { events, ...whole } = report.whole;
  return campaignDetails({ ...whole, events: events.slice(0, 5) }, Date.now());
}
