import type { MasterConfig } from '../../config/schema.js';
import { JobKind, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { CorpusOf } from '../../store/ops/corpus/corpus-of.js';

/** Merges have a share of the fleet of their own, beside those of fuzzing campaigns. */
export const corpusCampaign = 'corpora';
const longestName = 128;
/** Engines that have a way to merge a corpus, and to measure what it covers. */
export const mergingEngines = ['libfuzzer', 'aflplusplus', 'honggfuzz'] as const;

/** The merge of a corpus, by the newest job of its target that can: its build, and how it runs. */
export function mergeSpec(
  newest: string,
  { project, targetName }: CorpusOf,
  settings: { readonly seconds: number; readonly defaults: MasterConfig['jobs'] },
): JobSpec {
  const spec = JobSpec.fromJSON(JSON.parse(newest));
  const { seconds, defaults } = settings;
  return JobSpec.create({
    ...spec,
    kind: JobKind.MERGE,
    name: `merge ${targetName}`.slice(0, longestName).toWellFormed(),
    project,
    targetName,
    seedsSha256: '',
    campaign: corpusCampaign,
    priority: 0,
    maxAttempts: defaults.max_attempts,
    notBefore: undefined,
    timeouts: undefined,
    limits: {
      maxDurationSeconds: seconds,
      maxMemoryMib: spec.limits?.maxMemoryMib || Math.ceil(defaults.max_memory / 2 ** 20),
      inputTimeoutSeconds:
        spec.limits?.inputTimeoutSeconds || Math.ceil(defaults.input_timeout / 1000),
      maxInputBytes: 0,
      maxCrashes: 0,
    },
  });
}
