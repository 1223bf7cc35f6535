import { canonicalJson } from '../../core/canonical-json.js';
import { crashWorkOf } from '../../core/crash-work.js';
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
    requiredEngine: kind === 'fuzz' ? engine : crashWorkOf(engine),
    labels: canonicalJson(withIsolation(requirements?.labels ?? {}, requirements?.isolation ?? 0)),
    memoryMib: requirements?.memoryMib ?? 0,
    diskMib: requirements?.diskMib ?? 0,
    otherThanBotId: requirements?.otherThanBotId ?? '',
    priority: spec.priority,
    targetSha256: spec.targetSha256,
    seedsSha256: spec.seedsSha256 || null,
    targetName: spec.targetName,
    maxAttempts: spec.maxAttempts,
    readyAt: spec.notBefore?.getTime() ?? null,
    startWithinMs: milliseconds(timeouts?.scheduleToStartSeconds),
    runWithinMs: milliseconds(timeouts?.startToCloseSeconds),
    closeWithinMs: milliseconds(timeouts?.scheduleToCloseSeconds),
    spec: JSON.stringify(JobSpec.toJSON(spec)),
  };
}

const milliseconds = (seconds: number | undefined) => (seconds ? seconds * 1000 : null);
