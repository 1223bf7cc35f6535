import {
  CampaignBuild,
  CampaignSpec,
  type FuzzingCampaign,
} from '../../../src/gen/pandafuzz/v1/campaign_service.js';
import { JobOutcome, JobState, JobStatistics } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { putArtifact } from '../../../src/store/ops/corpus/put-artifact.js';
import { testContext } from '../../harness.js';
import { given } from '../../steps.js';
import { target } from '../../store/inputs.js';
import type { Fleet, Line } from '../fleet.js';

/** A campaign over a fleet whose clock is turned by hand. */

export const libfuzzer = CampaignBuild.create({ engine: 'libfuzzer', targetSha256: target.sha256 });
export const afl = CampaignBuild.create({ engine: 'aflplusplus', targetSha256: target.sha256 });

export const specOf = (spec: Partial<CampaignSpec> = {}): CampaignSpec =>
  CampaignSpec.create({ name: 'png', builds: [libfuzzer], runSeconds: 60, ...spec });

export async function createCampaign(
  fleet: Fleet,
  spec: Partial<CampaignSpec> = {},
): Promise<FuzzingCampaign> {
  const request = { spec: specOf(spec), requestId: '' };
  return fleet.state.fuzzingCampaigns.create(testContext(), request);
}

export const named = (campaign: string, project = '') => ({ project, campaign });

export async function getCampaign(fleet: Fleet, name = 'png') {
  const found = await fleet.state.fuzzingCampaigns.get(testContext(), named(name));
  return { ...found, campaign: given(found.campaign) };
}

export const pause = (fleet: Fleet, name = 'png', stopRuns = false) =>
  fleet.state.fuzzingCampaigns.pause(testContext(), { ...named(name), stopRuns, reason: '' });
export const resume = (fleet: Fleet, name = 'png') =>
  fleet.state.fuzzingCampaigns.resume(testContext(), named(name));
export const archive = (fleet: Fleet, name = 'png', stopRuns = false) =>
  fleet.state.fuzzingCampaigns.archive(testContext(), { ...named(name), stopRuns });

/** Takes what a bot is offered. */
export async function take(fleet: Fleet, bot: Line): Promise<Lease[]> {
  const offers = bot.offers();
  for (const lease of offers) bot.accept(lease);
  await fleet.settled();
  return offers;
}

/** A run that lasts `ms` beside those of `others` and ends with these figures; its slot is free again. */
export async function run(
  fleet: Fleet,
  bot: Line,
  lease: Lease,
  {
    ms = 60_000,
    others = [],
    ...figures
  }: { ms?: number; others?: readonly Lease[] } & Partial<JobStatistics> = {},
): Promise<void> {
  for (let left = ms; left > 0; left -= 5000) {
    bot.beat(0, [lease, ...others]);
    await fleet.pass(Math.min(left, 5000));
  }
  finish(bot, lease, figures);
  await fleet.settled();
}

export function finish(
  bot: Line,
  lease: Lease,
  figures: Partial<JobStatistics> = {},
  outcome = JobOutcome.COMPLETED,
): void {
  const statistics = JobStatistics.create({ elapsedMs: 60_000, ...figures });
  bot.say({ $case: 'jobDone', value: { lease, result: { outcome, message: 'm', statistics } } });
}

/** Edges beyond those of its corpus. */
export const finding = { loadedCoverage: 10, coverage: 12 };

export async function withArtifact(fleet: Fleet, letter: string): Promise<string> {
  const sha256 = letter.repeat(64);
  await fleet.store.run(testContext(), putArtifact, { ...target, sha256, name: letter });
  return sha256;
}

export async function jobsOf(fleet: Fleet, state = JobState.UNSPECIFIED) {
  const request = { pageSize: 1000, pageToken: '', state };
  return (await fleet.state.jobs.list(testContext(), request)).jobs;
}
