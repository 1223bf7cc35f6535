import type { CampaignBuild, CampaignSpec } from '../../gen/pandafuzz/v1/campaign_service.js';
import { JobLimits, JobSpec } from '../../gen/pandafuzz/v1/job.js';

/** Longest label of a job. */
const longestName = 128;
/** The campaign itself tries again: with another run, of the build whose turn it is. */
const maxAttempts = 1;

/** Key of a campaign's share of the fleet. */
export const keyOf = ({ project, name }: Pick<CampaignSpec, 'project' | 'name'>): string =>
  `${project}/${name}`;

/** A run of a build, as a job of its own. */
export function runSpec(spec: CampaignSpec, build: CampaignBuild, seconds: number): JobSpec {
  return JobSpec.create({
    name: `${spec.name} ${build.name}`.slice(0, longestName),
    engine: build.engine,
    targetSha256: build.targetSha256,
    executable: build.executable,
    targetName: spec.targetName,
    project: spec.project,
    campaign: keyOf(spec),
    seedsSha256: build.seedsSha256 || spec.seedsSha256,
    dictionarySha256: build.dictionarySha256 || spec.dictionarySha256,
    arguments: [...spec.arguments, ...build.arguments],
    environment: { ...spec.environment, ...build.environment },
    limits: {
      ...(spec.limits ?? JobLimits.create()),
      maxDurationSeconds: seconds,
      maxCrashes: spec.until?.firstCrash ? 1 : 0,
    },
    requirements: spec.requirements,
    maxAttempts,
  });
}
