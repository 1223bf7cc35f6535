import { isId } from '../../core/ids.js';
import { JobKind, StartTrouble } from '../../gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { FoundEngines } from '../engines/found.js';
import type { Refusal } from '../line/session.js';
import { RunSecrets } from '../sandbox/secrets.js';
import { Run, type RunParts } from './run.js';
import type { RunLogs } from './run-logs.js';

export interface BeginParts
  extends Omit<RunParts, 'engine' | 'knownInputs' | 'output' | 'secrets'> {
  readonly engines: FoundEngines;
  readonly logs: RunLogs;
}

/** Begins the run of a job, or says why this bot cannot. */
export function begin(
  assignment: Assignment & { lease: Lease },
  botId: string,
  parts: BeginParts,
): Run | Refusal {
  const { spec, earlier } = assignment;
  // Calls name the bot: what is found under another bot's lease is not taken for its own.
  const lease: Lease = { ...assignment.lease, ...(botId && { botId }) };
  if (!isId(lease.jobId)) return { refused: 'the job has no proper id' };
  if (!spec) return { refused: 'the assignment has no spec' };
  const engine = parts.engines.get(spec.engine)?.engine;
  if (!engine) {
    const refused = `this bot does not have the engine ${spec.engine}`;
    return { refused, trouble: StartTrouble.MACHINE };
  }
  if (spec.kind !== JobKind.UNSPECIFIED && !engine.kinds.has(spec.kind)) {
    return { refused: `this bot cannot do jobs of this kind with ${spec.engine}` };
  }
  const log = parts.log.child({ jobId: lease.jobId, attempt: lease.attempt, fence: lease.fence });
  log.info({ target: spec.targetName, job: spec.name }, 'job taken');
  const knownInputs = earlier?.crashInputs ?? [];
  const output = parts.logs.begin(lease);
  const secrets = new RunSecrets(assignment.secrets);
  return new Run(lease, spec, { ...parts, engine, output, log, knownInputs, secrets });
}
