import { DomainError } from '../../../core/errors.js';
import {
  type CreateJobInput,
  createJob,
  type MadeJob,
  type NewJob,
  newJob,
} from '../../ops/jobs/create-job.js';
import { isKnownBuild } from '../../ops/jobs/note-build.js';
import { queueOf } from '../../ops/jobs/queue-of.js';
import { expectArtifacts } from '../../ops/targets/find-uses.js';
import type { QueueRow } from '../../rows.js';
import type { Steps } from '../../statement.js';
import { driveSteps } from '../drive.js';
import type { Session } from '../session.js';
import { storable } from '../storable.js';
import { type OperationSet, setStatement } from './set.js';

/** Columns of a new job, and where their values are. */
const columns = {
  id: ['text', 'id'],
  request_id: ['text', 'requestId'],
  queue_id: ['bigint', 'queueId'],
  project: ['text', 'project'],
  kind: ['text', 'kind'],
  campaign: ['text', 'campaign'],
  engine: ['text', 'engine'],
  priority: ['bigint', 'priority'],
  target_sha256: ['text', 'targetSha256'],
  seeds_sha256: ['text', 'seedsSha256'],
  dictionary_sha256: ['text', 'dictionarySha256'],
  target_name: ['text', 'targetName'],
  max_attempts: ['bigint', 'maxAttempts'],
  created_at: ['bigint', 'now'],
  delayed: ['bigint', 'delayed'],
  ready_at: ['bigint', 'readyAt'],
  start_within_ms: ['bigint', 'startWithinMs'],
  start_by: ['bigint', 'startBy'],
  run_within_ms: ['bigint', 'runWithinMs'],
  close_within_ms: ['bigint', 'closeWithinMs'],
  close_by: ['bigint', 'closeBy'],
  due_at: ['bigint', 'dueAt'],
  fuzz_within_ms: ['bigint', 'fuzzWithinMs'],
  spec: ['text', 'spec'],
} as const satisfies Record<string, readonly ['text' | 'bigint', keyof NewJob]>;

const names = Object.keys(columns).join(', ');
const types = Object.fromEntries(Object.entries(columns).map(([name, [type]]) => [name, type]));

const insert = setStatement(
  'set_create',
  { ...types, detail: 'text' },
  `
  WITH input AS (SELECT * FROM INPUT),
  made AS (
    INSERT INTO jobs (state, ${names}) SELECT 'pending', ${names} FROM input
    ON CONFLICT (request_id) DO NOTHING RETURNING id),
  told AS (
    INSERT INTO events (time, kind, subject, detail)
    SELECT input.created_at, 'job.created', made.id, input.detail
    FROM input JOIN made ON made.id = input.id ORDER BY input.n)
  SELECT id FROM made`,
);

/** What has to be alike, so that it is looked up once for all of a set. */
const alike = (input: CreateJobInput): string =>
  JSON.stringify([
    [input.targetSha256, input.seedsSha256, input.dictionarySha256, input.targetName],
    [input.project, input.campaign, input.requiredEngine, input.labels],
    [input.memoryMib, input.diskMib, input.otherThanBotId],
  ]);

interface Common {
  readonly queue: QueueRow;
  readonly targetName: string;
  readonly isKnown: boolean;
}

function* commonOf(input: CreateJobInput): Steps<Common> {
  const uploadedName = yield* expectArtifacts(input);
  const targetName = input.targetName || uploadedName;
  const queue = yield* queueOf(input);
  const isKnown = Boolean(yield* isKnownBuild({ ...input, targetName }));
  return { queue, targetName, isKnown };
}

/** undefined: the jobs go alone, as they are refused, or have a build that is to be noted. */
async function known(session: Session, input: CreateJobInput): Promise<Common | undefined> {
  try {
    const common = await driveSteps(session, commonOf(input), { changed: false });
    return common.isKnown ? common : undefined;
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

const detailOf = ({ engine, campaign }: NewJob): string => JSON.stringify({ engine, campaign });

/** Jobs of one target in one queue. A request that has made a job before goes alone. */
export const createJobs: OperationSet<CreateJobInput, MadeJob> = {
  name: createJob.name,
  sorted: (input) => ({ kind: alike(input), subject: input.requestId ?? '' }),
  async run(session, inputs) {
    const common = await known(session, inputs[0] as CreateJobInput);
    if (!common) return inputs.map(() => undefined);
    const { queue, targetName } = common;
    const jobs = inputs.map((input) => newJob(input, queue.id, targetName));
    const lists = Object.values(columns).map(([, key]) => jobs.map((job) => storable(job[key])));
    const { rows } = await session.query({ ...insert, values: [...lists, jobs.map(detailOf)] });
    const made = new Set((rows as { id: string }[]).map(({ id }) => id));
    let { pending } = queue;
    return jobs.map(({ id }) => {
      if (!made.has(id)) return undefined;
      return {
        output: { queue: { ...queue, pending: pending++ }, targetName, earlier: undefined },
      };
    });
  },
};
