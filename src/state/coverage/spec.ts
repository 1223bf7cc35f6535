import type { MasterConfig } from '../../config/schema.js';
import { coverageEngine } from '../../core/coverage-work.js';
import { JobKind, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { CoverageTargetRow } from '../../store/coverage-rows.js';
import { corpusCampaign } from '../corpus/merge-spec.js';

const longestName = 128;

/** The job that measures a target, in the share of the fleet that merges have. */
export function coverageSpec(
  target: CoverageTargetRow,
  { seconds, defaults }: { readonly seconds: number; readonly defaults: MasterConfig['jobs'] },
): JobSpec {
  return JobSpec.create({
    kind: JobKind.COVERAGE,
    name: `coverage ${target.target_name}`.slice(0, longestName).toWellFormed(),
    engine: coverageEngine,
    project: target.project,
    targetName: target.target_name,
    targetSha256: target.target_sha256,
    executable: target.executable,
    campaign: corpusCampaign,
    maxAttempts: defaults.max_attempts,
    limits: {
      maxDurationSeconds: seconds,
      maxMemoryMib: Math.ceil(defaults.max_memory / 2 ** 20),
      inputTimeoutSeconds: Math.ceil(defaults.input_timeout / 1000),
      maxInputBytes: 0,
      maxCrashes: 0,
    },
  });
}
