import { join } from 'node:path';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { describeFailure, failureOf } from '../client/failure.js';
import { sleep, systemClock } from '../core/clock.js';
import { UserError } from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { exitCodeOf, onStopSignals } from '../core/stop-signals.js';
import { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { type Job, JobState } from '../gen/pandafuzz/v1/job.js';
import { crashesFound } from '../operator/jobs.js';
import { listCrashGroups } from '../operator/lists.js';
import { print } from '../operator/output.js';
import { type Submission, submitJobs } from '../operator/submit.js';
import { endJobs, unfinishedJobs } from './end-jobs.js';
import { logFile, OwnFleet } from './own-fleet.js';
import {
  beginOf,
  type Figures,
  Finds,
  figuresOf,
  groupTitle,
  hasFuzzed,
  type Picture,
} from './progress.js';
import { Results } from './results.js';
import { createScreen, type Screen } from './screen.js';
import { summary } from './summary.js';

export interface FuzzOptions {
  /** Target, seeds, dictionary and spec; `count` is the number of jobs. */
  readonly submission: Submission;
  /** For people: the target, and the command that does the same again. */
  readonly target: string;
  readonly command: string;
  /** Of this session and those before it. */
  readonly folder: string;
  /** Absent: until it is ended. */
  readonly durationMs?: number | undefined;
  readonly failOnCrash: boolean;
  readonly json: boolean;
}

const lookEveryMs = 1000;
/** For a call, milliseconds. */
const callMs = 10_000;
/** The longest that a job can be given: the session ends it, milliseconds. */
const longestSeconds = 30 * 24 * 3600;
const mostGroups = 1000;

/**
 * Fuzzes one target on this machine, with a master and a bot of this process, until it is
 * ended, the time is over, or no job goes on.
 *
 * @returns the exit code
 * @throws UserError
 */
export async function fuzz(options: FuzzOptions): Promise<number> {
  const stop = new AbortController();
  const forget = onStopSignals({
    stop: () => stop.abort(),
    endAtOnce: (signal) => process.exit(exitCodeOf(signal)),
  });
  const screen = createScreen();
  let fleet: OwnFleet | undefined;
  try {
    await makeFolder(options.folder);
    // One more than fuzz: what runs crashes again need not wait.
    fleet = await OwnFleet.start(options.folder, options.submission.count + 1);
    const session = new Session(fleet, options, screen, stop.signal);
    return await session.run();
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
    throw new UserError(
      `${describeFailure(error, 'this process')} (see ${logFile(options.folder)})`,
    );
  } finally {
    screen.end();
    forget();
    await fleet?.stop();
  }
}

class Session {
  readonly #connection: Connection;
  readonly #results: Results;
  readonly #finds = new Finds();
  readonly #startedAt = systemClock.monotonic();
  readonly #newGroups = new Set<string>();
  #ids: readonly string[] = [];
  #jobs: readonly Job[] = [];
  #figures: Figures = figuresOf([]);
  #groups: readonly CrashGroup[] = [];
  /** Why a job waits, as it was seen last. */
  #reason: string | undefined;

  constructor(
    private readonly fleet: OwnFleet,
    private readonly options: FuzzOptions,
    private readonly screen: Screen,
    private readonly stopped: AbortSignal,
  ) {
    this.#connection = fleet.connection;
    this.#results = new Results(join(options.folder, 'crashes'));
  }

  async run(): Promise<number> {
    const { submission, target, command, folder, failOnCrash, json } = this.options;
    await endJobs(this.#connection, await unfinishedJobs(this.#connection));
    this.#groups = await this.#readGroups();
    await this.#results.keep(this.#connection, this.#groups, { timeoutMs: callMs });
    const limits = { ...submission.spec.limits, maxDurationSeconds: longestSeconds };
    const spec = { ...submission.spec, limits } as Submission['spec'];
    const jobs = await submitJobs(this.#connection, { ...submission, spec });
    this.#ids = jobs.map(({ id }) => id);
    const jobsOf = this.#ids.length === 1 ? '1 job' : `${this.#ids.length} jobs`;
    this.screen.note(`fuzzing ${target} with ${jobsOf}; everything is in ${folder}`);
    this.screen.note(`in a browser: ${this.fleet.page}`);
    await Promise.race([this.#watch(), this.fleet.failed]);
    // Later each says only that it was stopped.
    const told = this.#jobs.map(({ result }) => result?.message).find(Boolean);
    const why = told || this.#reason;
    await endJobs(this.#connection, this.#ids);
    await this.#look();
    this.screen.end();
    const elapsedMs = systemClock.monotonic() - this.#startedAt;
    const figures = this.#figures;
    const trouble = hasFuzzed(figures) ? undefined : this.#trouble(why);
    const found = this.#groups.filter(({ id }) => this.#newGroups.has(id));
    print(
      { json },
      {
        json: () => ({
          folder,
          ...{ elapsedMs, executions: figures.executions, coverage: figures.coverage },
          groups: this.#groups.map((group) => ({
            ...(CrashGroup.toJSON(group) as object),
            isNew: this.#newGroups.has(group.id),
            folder: this.#results.folderOf(group),
          })),
          ...(trouble !== undefined && { trouble }),
        }),
        text: () =>
          summary({
            ...{ command, folder, elapsedMs, figures, found },
            known: this.#groups.filter(({ id }) => !this.#newGroups.has(id)),
            folderOf: (group) => this.#results.folderOf(group),
          }),
      },
    );
    if (trouble !== undefined) throw new UserError(`nothing was fuzzed: ${trouble}`);
    return failOnCrash && this.#groups.length > 0 ? crashesFound : 0;
  }

  /** Until it is to end, or no job goes on. */
  async #watch(): Promise<void> {
    const { durationMs = Number.POSITIVE_INFINITY } = this.options;
    while (!this.stopped.aborted) {
      await this.#look();
      const now = systemClock.monotonic();
      this.screen.show(await this.#picture(now));
      const isOver = this.#jobs.every(({ finishedAt }) => finishedAt !== undefined);
      if (isOver || now - beginOf(this.#startedAt, this.#finds.firstAt) >= durationMs) return;
      await sleep(systemClock, lookEveryMs, this.stopped).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const { jobs } = this.#connection;
    const answers = await Promise.all(
      this.#ids.map((jobId) => unary(jobs, jobs.getJob, { jobId }, { timeoutMs: callMs })),
    );
    this.#jobs = answers.flatMap(({ job }) => (job ? [job] : []));
    this.#figures = figuresOf(this.#jobs);
    this.#finds.look(this.#figures, systemClock.monotonic());
    this.#groups = await this.#readGroups();
    const options = { timeoutMs: callMs };
    for (const group of await this.#results.keep(this.#connection, this.#groups, options)) {
      this.#newGroups.add(group.id);
      this.screen.note(`found: ${groupTitle(group)} -> ${this.#results.folderOf(group)}`);
    }
  }

  async #picture(now: number): Promise<Picture> {
    const figures = this.#figures;
    this.#reason = await this.#readReason();
    const { lastAt } = this.#finds;
    return {
      target: this.options.target,
      health: this.#finds.health(figures, this.#startedAt, now),
      figures,
      sinceFindMs: lastAt === undefined ? undefined : now - lastAt,
      elapsedMs: now - this.#startedAt,
      durationMs: this.options.durationMs,
      groups: this.#groups,
      newGroups: this.#newGroups,
      reason: this.#reason,
    };
  }

  /** Why a job of ours waits; and why it ended, if one has and others go on. */
  async #readReason(): Promise<string | undefined> {
    const waiting = this.#jobs.find(({ state }) => state === JobState.PENDING);
    if (!waiting) return undefined;
    const { jobs } = this.#connection;
    const told = await unary(jobs, jobs.explainJob, { jobId: waiting.id }, { timeoutMs: callMs });
    return waiting.result?.message || told.reasons[0];
  }

  #trouble(why: string | undefined): string {
    const hint = `the log is ${logFile(this.options.folder)}`;
    return why ? `${why} (${hint})` : `no input was executed in time (${hint})`;
  }

  #readGroups(): Promise<CrashGroup[]> {
    return listCrashGroups(this.#connection, { limit: mostGroups }, { timeoutMs: callMs });
  }
}
