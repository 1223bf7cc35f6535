import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { crashWorkOf } from '../../core/crash-work.js';
import { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import { type MakeCrashWork, makeCrashWork } from '../../store/ops/crashes/make-crash-work.js';
import type { BuildToVerify, CrashToRun } from '../../store/ops/crashes/work-sources.js';
import type { QueueRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { jobInput } from '../messages/job-input.js';
import { minimisationSpec, reproductionSpec, verificationSpec } from './work-spec.js';

/** What a job asks of a bot. */
interface Need {
  readonly engine: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly memoryMib: number;
  readonly diskMib: number;
  readonly isolation: number;
}

export interface WorkJobsParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly newId: () => string;
  /** The bots online. */
  readonly sessions: { hasOther(botId: string, need: Need): boolean };
  /** Hands jobs out. */
  readonly dispatch: { addQueue(queue: QueueRow): void; jobPending(queueId: number): void };
  readonly defaults: MasterConfig['jobs'];
}

/** The row that waits for the job; undefined: somebody asks for it by a call. */
type Waiting = { readonly id: number; readonly tries: number } | undefined;

/** Jobs that work on crashes, made and handed to the dispatcher. Each returns the job's id. */
export class WorkJobs {
  constructor(private readonly parts: WorkJobsParts) {}

  /** On another bot where one is online, unless a job for another bot has died over it. */
  reproduce(ctx: RequestContext, crash: CrashToRun, runs: number, waiting?: Waiting) {
    const isForOther = (waiting?.tries ?? 0) === 0 && this.#hasOtherBot(crash);
    const otherThanBotId = isForOther ? crash.botId : '';
    const spec = reproductionSpec(crash, runs, otherThanBotId, this.parts.defaults);
    return this.#make(ctx, spec, { kind: 'reproduce', crashId: crash.crashId, waiting });
  }

  minimise(
    ctx: RequestContext,
    crash: CrashToRun,
    limits: { readonly runs: number; readonly seconds: number },
    waiting?: Waiting,
  ) {
    const spec = minimisationSpec(crash, limits, this.parts.defaults);
    return this.#make(ctx, spec, { kind: 'minimise', crashId: crash.crashId, waiting });
  }

  verify(
    ctx: RequestContext,
    build: BuildToVerify,
    on: {
      readonly project: string;
      readonly targetName: string;
      readonly targetSha256: string;
      /** Path in a bundle; empty or absent: as in the build's spec. */
      readonly executable?: string;
      readonly runs: number;
      readonly afterGroupId: string;
    },
    waiting?: Waiting,
  ) {
    const { project, targetName, afterGroupId } = on;
    const spec = { ...verificationSpec(build, on, this.parts.defaults), project, targetName };
    const nextAfterGroupId = waiting ? (build.nextAfterGroupId ?? null) : null;
    return this.#make(ctx, spec, { kind: 'verify', waiting, afterGroupId, nextAfterGroupId });
  }

  async #make(
    ctx: RequestContext,
    spec: JobSpec,
    work: Pick<MakeCrashWork, 'kind'> &
      Partial<Pick<MakeCrashWork, 'crashId' | 'afterGroupId' | 'nextAfterGroupId'>> & {
        waiting: Waiting;
      },
  ): Promise<string | undefined> {
    const { store, clock, newId, dispatch } = this.parts;
    const { kind, crashId = null, afterGroupId = '', nextAfterGroupId = null, waiting } = work;
    const job = jobInput(spec, { id: newId(), requestId: null, now: clock.now() });
    const made = await store.run(ctx, makeCrashWork, {
      kind,
      crashId,
      afterGroupId,
      nextAfterGroupId,
      job,
      workId: waiting?.id ?? null,
    });
    if (!made) return undefined;
    dispatch.addQueue(made.queue);
    dispatch.jobPending(made.queue.id);
    return job.id;
  }

  #hasOtherBot({ botId, spec }: CrashToRun): boolean {
    const { engine, requirements } = JobSpec.fromJSON(JSON.parse(spec));
    return this.parts.sessions.hasOther(botId, {
      engine: crashWorkOf(engine),
      labels: requirements?.labels ?? {},
      memoryMib: requirements?.memoryMib ?? 0,
      diskMib: requirements?.diskMib ?? 0,
      isolation: requirements?.isolation ?? 0,
    });
  }
}
