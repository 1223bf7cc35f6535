import { canonicalJson } from '../../core/canonical-json.js';
import { coverageWork } from '../../core/coverage-work.js';
import { crashWorkOf } from '../../core/crash-work.js';
import { mergeWorkOf } from '../../core/merge-work.js';
import { JobKind, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { CreateJobInput } from '../../store/ops/jobs/create-job.js';
import type { JobKindName } from '../../store/rows.js';
import { withIsolation } from './required-isolation.js';

/** Of kinds that the master makes; there are no others here. */
const kindNames: Readonly<Record<JobKind, JobKindName>> = {
  [JobKind.UNSPECIFIED]: 'fuzz',
  [JobKind.REPRODUCE]: 'reproduce',
  [JobKind.MINIMISE]: 'minimise',
  [JobKind.VERIFY]: 'verify',
  [JobKind.MERGE]: 'merge',
  [JobKind.COVERAGE]: 'coverage',
  [JobKind.UNRECOGNIZED]: 'fuzz',
};

/** A job as the store takes it, by a spec that is complete. */
export function jobInput(
  spec: JobSpec,
  job: { readonly id: string; readonly requestId: string | null; readonly now: number },
): CreateJobInput {
  const { requirements, timeouts, engine } = spec;
  const kind = kindNames[spec.kind];
  return {
    ...job,
    project: spec.project,
    kind,
    campaign: spec.campaign,
    engine,
    requiredEngine: requiredEngine(kind, engine),
    labels: canonicalJson(withIsolation(requirements?.labels ?? {}, requirements?.isolation ?? 0)),
    memoryMib: requirements?.memoryMib ?? 0,
    diskMib: requirements?.diskMib ?? 0,
    otherThanBotId: requirements?.otherThanBotId ?? '',
    priority: spec.priority,
    targetSha256: spec.targetSha256,
    executable: spec.executable,
    seedsSha256: spec.seedsSha256 || null,
    dictionarySha256: spec.dictionarySha256 || null,
    targetName: spec.targetName,
    maxAttempts: spec.maxAttempts,
    readyAt: spec.notBefore?.getTime() ?? null,
    startWithinMs: milliseconds(timeouts?.scheduleToStartSeconds),
    runWithinMs: milliseconds(timeouts?.startToCloseSeconds),
    closeWithinMs: milliseconds(timeouts?.scheduleToCloseSeconds),
    fuzzWithinMs: kind === 'fuzz' ? milliseconds(spec.limits?.maxDurationSeconds) : null,
    spec: JSON.stringify(JobSpec.toJSON(spec)),
  };
}

/** Bots that do not know a kind do not announce it, so none of them is given such a job. */
function requiredEngine(kind: JobKindName, engine: string): string {
  if (kind === 'fuzz') return engine;
  if (kind === 'coverage') return coverageWork;
  return kind === 'merge' ? mergeWorkOf(engine) : crashWorkOf(engine);
}

const milliseconds = (seconds: number | undefined) => (seconds ? seconds * 1000 : null);
