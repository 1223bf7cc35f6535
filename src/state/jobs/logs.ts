import type { InBackground, RequestContext } from '../../core/context.js';
import { NotFoundError, PreconditionError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { ReadBotLogRequest, ReadBotLogResponse } from '../../gen/pandafuzz/v1/bot_service.js';
import { LogSource } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { ReadJobLogRequest, ReadJobLogResponse } from '../../gen/pandafuzz/v1/job_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { getBot } from '../../store/ops/bots/get-bot.js';
import { getJobLog, keepJobLog } from '../../store/ops/jobs/job-logs.js';
import { showJob } from '../../store/ops/jobs/show-job.js';
import type { AttemptRow, JobRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import { jobStateOf } from '../messages/records.js';
import { Violations } from '../messages/violations.js';

/** Logs of failed attempts on their way to disk; of further ones none is kept. */
const mostOnTheirWay = 16;
export const longestLogBytes = 64 * 1024;

export interface LogsParts {
  readonly store: Pick<Store, 'run'>;
  readonly sessions: Sessions;
  readonly log: Logger;
  readonly inBackground: InBackground;
}

/**
 * Logs of bots and of the engines of their runs. They stay where they are made, and are
 * read from the bot when somebody asks; the master keeps the last of what the engines of
 * failed attempts printed, of a bounded number of jobs.
 */
export class Logs {
  #onTheirWay = 0;

  constructor(private readonly parts: LogsParts) {}

  /** @throws NotFoundError, PreconditionError, OverloadError */
  async ofBot(ctx: RequestContext, request: ReadBotLogRequest): Promise<ReadBotLogResponse> {
    new Violations().id(request.botId, 'bot_id').throwIfAny();
    const { store, sessions } = this.parts;
    if (!(await store.run(ctx, getBot, request.botId))) {
      throw new NotFoundError({ resource: 'bot', id: request.botId });
    }
    const session = sessions.of(request.botId);
    if (!session) throw offline();
    if (!session.sendsLogs) throw sendsNone();
    const { offset } = request;
    const part = await session.readLog({ source: LogSource.BOT, lease: undefined, offset });
    return { data: part.data, offset: part.offset, nextOffset: part.nextOffset };
  }

  /** @throws NotFoundError, PreconditionError, OverloadError */
  async ofJob(ctx: RequestContext, request: ReadJobLogRequest): Promise<ReadJobLogResponse> {
    new Violations().id(request.jobId, 'job_id').throwIfAny();
    const { jobId } = request;
    const shown = await this.parts.store.run(ctx, showJob, { jobId, attempts: 1 });
    if (!shown) throw new NotFoundError({ resource: 'job', id: jobId });
    const { job } = shown;
    const [attempt] = shown.attempts;
    if (!attempt) throw noLog('no bot has begun with the job: it has no log yet');
    const source = request.source === LogSource.BOT ? LogSource.BOT : LogSource.ENGINE;
    const offset = request.fence === attempt.fence ? request.offset : 0;
    const live = await this.#fromBot({ source, attempt, jobId, offset });
    if (live) return { ...live, state: jobStateOf(job.state) };
    const kept = source === LogSource.ENGINE && (await this.#kept(ctx, job, offset));
    if (kept) return kept;
    if (!this.parts.sessions.of(attempt.bot_id)) throw offline();
    throw noLog('its bot has no log of it any more: it keeps those of its last runs');
  }

  /** Keeps the last of what the engine of a failed attempt printed. It is lost on an error. */
  keep({ jobId, fence }: Lease, tail: Uint8Array): void {
    if (tail.length === 0 || tail.length > longestLogBytes) return;
    if (this.#onTheirWay >= mostOnTheirWay) {
      this.parts.log.debug({ job: jobId }, 'log not kept');
      return;
    }
    this.#onTheirWay++;
    const input = { jobId, fence, log: Buffer.from(tail).toString('base64') };
    this.parts
      .inBackground(keepJobLog.name, (ctx) => this.parts.store.run(ctx, keepJobLog, input))
      .catch((error) => this.parts.log.debug({ job: jobId, err: error }, 'log not kept'))
      .finally(() => this.#onTheirWay--);
  }

  /** @returns undefined where the bot is offline, or knows no such run any more */
  async #fromBot(wish: {
    source: LogSource;
    attempt: AttemptRow;
    jobId: string;
    offset: number;
  }): Promise<Omit<ReadJobLogResponse, 'state'> | undefined> {
    const { attempt, jobId, source, offset } = wish;
    const session = this.parts.sessions.of(attempt.bot_id);
    if (!session?.sendsLogs) {
      if (session && attempt.ended_at === null) throw sendsNone();
      return undefined;
    }
    const lease = { jobId, attempt: attempt.attempt, fence: attempt.fence };
    const part = await session.readLog({ source, lease, offset });
    if (part.isUnknown) return undefined;
    return {
      data: part.data,
      offset: part.offset,
      nextOffset: part.nextOffset,
      fence: attempt.fence,
      botId: attempt.bot_id,
      isOver: part.isOver || attempt.ended_at !== null,
    };
  }

  async #kept(
    ctx: RequestContext,
    job: JobRow,
    offset: number,
  ): Promise<ReadJobLogResponse | undefined> {
    const row = await this.parts.store.run(ctx, getJobLog, job.id);
    if (!row) return undefined;
    const log = Buffer.from(row.log, 'base64');
    const from = Math.min(offset, log.length);
    return {
      data: log.subarray(from),
      offset: from,
      nextOffset: log.length,
      fence: row.fence,
      botId: row.bot_id,
      isOver: true,
      state: jobStateOf(job.state),
    };
  }
}

const noLog = (why: string) => new PreconditionError({ reason: 'NO_LOG', why });

export const offline = () =>
  new PreconditionError({
    reason: 'BOT_IS_OFFLINE',
    why: 'the bot is offline: its logs are on its machine',
  });

const sendsNone = () =>
  new PreconditionError({
    reason: 'SENDS_NO_LOGS',
    why: 'the bot is of an older version, which sends no logs: upgrade it, or look at its machine',
  });
