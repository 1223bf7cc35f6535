import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { describeFailure, failureOf, isAway } from '../client/failure.js';
import { sleep, systemClock } from '../core/clock.js';
import { UserError } from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { type Job, type JobLimits, JobState } from '../gen/pandafuzz/v1/job.js';
import { writeReport } from '../operator/crashes/report.js';
import { usage } from '../operator/exit-codes.js';
import { crashesFound } from '../operator/jobs.js';
import { print } from '../operator/output.js';
import { checkOutputFile } from '../operator/output-file.js';
import { untilStopped, withMaster } from '../operator/session.js';
import { type CallOptions, type Submission, submitJobs } from '../operator/submit.js';
import { jobState } from '../operator/words.js';
import { type MetGroup, metGroups } from './ci-news.js';
import { ciSummary } from './ci-summary.js';
import { endJobs, unfinishedJobs } from './end-jobs.js';
import { type Figures, Finds, figuresOf, hasFuzzed, progressLine } from './progress.js';
import { Results } from './results.js';

export interface CiOptions {
  /** With project, name and what else people gave; times and campaign are this file's. */
  readonly submission: Submission & { readonly spec: { readonly limits: JobLimits } };
  /** Absent: a master and a bot of this process. */
  readonly master?: { readonly master: string; readonly timeoutMs: number } | undefined;
  /** What the builds of one change share, such as the number of a pull request. */
  readonly change?: string | undefined;
  readonly durationMs: number;
  /** For a bot to take a job. */
  readonly startWithinMs: number;
  /** Of the results, and on this machine of all that is kept. */
  readonly folder: string;
  readonly sarif?: string | undefined;
  readonly sourceRoot: string;
  readonly json: boolean;
}

/** The run says nothing about the build. */
const couldNotFuzz = 11;
/** The end of a process by a signal has a code above this. */
const bySignal = 128;
const lookEveryMs = 1000;
const lineEveryMs = 10_000;
/** For a call to the master of this process. */
const ownCallMs = 10_000;
/** For loading seeds and corpus, trouble of bots and the last results, besides the time to fuzz. */
const graceMs = 120_000;

/**
 * Fuzzes one build for a bounded time, and says whether it brought crashes that are new.
 *
 * @returns the exit code
 * @throws UserError with the exit code 11 if nothing can be said of the build
 */
export async function ci(options: CiOptions): Promise<number> {
  try {
    const { sarif, sourceRoot, folder } = options;
    if (!sourceRoot.startsWith('/'))
      throw new UserError('--source-root must be a whole path', usage);
    if (sarif !== undefined) await checkOutputFile(sarif, true);
    await makeFolder(folder);
    // Nobody takes the results of an earlier run for those of this one.
    if (sarif !== undefined) await rm(sarif, { force: true });
    await rm(newFolder(folder), { recursive: true, force: true });
    if (!options.master) return await onThisMachine(options);
    return await withMaster(options.master, (connection, calls) =>
      new CiRun(connection, options, calls).run(),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.exitCode === usage || error.exitCode > bySignal) throw error;
    throw new UserError(`could not fuzz: ${error.message}`, couldNotFuzz);
  }
}

const newFolder = (folder: string) => join(folder, 'new');

async function onThisMachine(options: CiOptions): Promise<number> {
  // Loaded here: against a master nobody needs the modules of one.
  const { OwnFleet, logFile } = await import('./own-fleet.js');
  return untilStopped(async (signal) => {
    // One slot more than fuzz: what runs crashes again need not wait.
    const fleet = await OwnFleet.start(options.folder, options.submission.count + 1);
    try {
      const { connection } = fleet;
      await endJobs(connection, await unfinishedJobs(connection));
      const run = new CiRun(connection, options, { timeoutMs: ownCallMs, signal });
      return await Promise.race([run.run(), fleet.failed]);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (failureOf(error) === undefined) throw error;
      const log = logFile(options.folder);
      throw new UserError(`${describeFailure(error, 'this process')} (see ${log})`);
    } finally {
      await fleet.stop();
    }
  });
}

class CiRun {
  readonly #startedAt = systemClock.monotonic();
  readonly #finds = new Finds();
  readonly #told = new Map<string, JobState>();
  #lineAt = 0;

  constructor(
    private readonly connection: Connection,
    private readonly options: CiOptions,
    private readonly calls: Required<CallOptions>,
  ) {}

  async run(): Promise<number> {
    const queued = await submitJobs(this.connection, this.#submission(), this.calls);
    const ids = queued.map(({ id }) => id);
    say(`fuzzing with ${ids.length === 1 ? `job ${ids[0]}` : `${ids.length} jobs`}`);
    let jobs: readonly Job[] = queued;
    try {
      jobs = await this.#untilEnded(ids);
    } finally {
      // Of a run that was stopped: nobody looks at what its jobs find from now on.
      const open = jobs.filter(({ finishedAt }) => !finishedAt).map(({ id }) => id);
      await endJobs(this.connection, open).catch(() => {});
    }
    const met = await this.#metGroups(jobs);
    return this.#answer(jobs, met);
  }

  #submission(): Submission {
    const { submission, durationMs, startWithinMs, change } = this.options;
    const { limits } = submission.spec;
    const seconds = (ms: number) => Math.ceil(ms / 1000);
    const spec = {
      ...submission.spec,
      campaign: campaignOf(change),
      limits: { ...limits, maxDurationSeconds: seconds(durationMs) },
      timeouts: {
        scheduleToStartSeconds: seconds(startWithinMs),
        startToCloseSeconds: 0,
        scheduleToCloseSeconds: seconds(this.#longestMs()),
      },
    };
    return { ...submission, spec };
  }

  #longestMs(): number {
    return this.options.startWithinMs + this.options.durationMs + graceMs;
  }

  /** Waits for an absent master, too, within the time that the jobs have. */
  async #untilEnded(ids: readonly string[]): Promise<Job[]> {
    const until = this.#startedAt + this.#longestMs() + graceMs;
    for (;;) {
      const jobs = await this.#look(ids);
      if (jobs?.every(({ finishedAt }) => finishedAt !== undefined)) return jobs;
      if (systemClock.monotonic() > until) {
        const why = jobs ? 'the jobs have not ended' : 'no master answers';
        throw new UserError(`${why} at ${this.connection.address}`);
      }
      await sleep(systemClock, lookEveryMs, this.calls.signal);
    }
  }

  /** @returns undefined while no master answers */
  async #look(ids: readonly string[]): Promise<Job[] | undefined> {
    const { jobs: service } = this.connection;
    try {
      const answers = await Promise.all(
        ids.map((jobId) => unary(service, service.getJob, { jobId }, this.calls)),
      );
      const jobs = answers.flatMap(({ job }) => (job ? [job] : []));
      this.#tell(jobs);
      return jobs;
    } catch (error) {
      if (!isAway(error)) throw error;
      return undefined;
    }
  }

  /** A line for each change of a job's state, and one for the figures now and then. */
  #tell(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (this.#told.get(job.id) === job.state) continue;
      this.#told.set(job.id, job.state);
      say(`job ${job.id} is ${jobState(job)}`);
    }
    const now = systemClock.monotonic();
    const figures = figuresOf(jobs);
    this.#finds.look(figures, now);
    if (now < this.#lineAt || figures.running === 0) return;
    this.#lineAt = now + lineEveryMs;
    const health = this.#finds.health(figures, this.#startedAt, now);
    say(progressLine({ health, figures, elapsedMs: now - this.#startedAt }));
  }

  async #metGroups(jobs: readonly Job[]): Promise<MetGroup[]> {
    const [first] = jobs;
    if (!first?.spec || !first.createdAt) throw new UserError('the master sent no job');
    const { project, targetName, targetSha256, campaign } = first.spec;
    const about = { project, targetName, targetSha256, campaign, createdAt: first.createdAt };
    const met: MetGroup[] = [];
    const isChange = this.options.change !== undefined;
    const found = metGroups(this.connection, { ...about, isChange }, this.calls);
    for await (const one of found) met.push(one);
    return met;
  }

  async #answer(jobs: readonly Job[], met: readonly MetGroup[]): Promise<number> {
    const { folder, sarif, sourceRoot, json } = this.options;
    const fresh = met.filter(({ known }) => known === undefined);
    const groups = fresh.map(({ dossier }) => dossier.group);
    const results = new Results(newFolder(folder));
    await results.keep(this.connection, groups, this.calls);
    const figures = figuresOf(jobs);
    const trouble = fresh.length > 0 ? undefined : troubleOf(jobs, figures);
    const isWritten = sarif !== undefined && trouble === undefined;
    if (isWritten) await writeReport(sarif, dossiersOf(fresh), { format: 'sarif', sourceRoot });
    const elapsedMs = systemClock.monotonic() - this.#startedAt;
    const folderOf = (group: CrashGroup) => results.folderOf(group);
    print(
      { json },
      {
        json: () => ({
          ...{ elapsedMs, executions: figures.executions, coverage: figures.coverage },
          targetSha256: jobs[0]?.spec?.targetSha256,
          jobs: jobs.map(({ id }) => id),
          new: groups.map((group) => ({
            ...(CrashGroup.toJSON(group) as object),
            folder: folderOf(group),
          })),
          known: met.flatMap(({ dossier, known }) =>
            known === undefined
              ? []
              : [{ ...(CrashGroup.toJSON(dossier.group) as object), why: known }],
          ),
          ...(trouble !== undefined && { trouble }),
        }),
        text: () => ciSummary({ elapsedMs, figures, met, folderOf }),
      },
    );
    if (trouble !== undefined) throw new UserError(trouble);
    return fresh.length > 0 ? crashesFound : 0;
  }
}

export const campaignOf = (change: string | undefined): string =>
  change === undefined ? 'ci' : `ci/${change}`;

async function* dossiersOf(met: readonly MetGroup[]) {
  for (const { dossier } of met) yield dossier;
}

/** Why it is not known that the build is good; undefined: it was fuzzed. */
function troubleOf(jobs: readonly Job[], figures: Figures): string | undefined {
  const completed = jobs.filter(({ state }) => state === JobState.COMPLETED);
  if (completed.length > 0 && hasFuzzed(figures)) return undefined;
  const told = jobs.map(({ result }) => result?.message).find(Boolean);
  if (told) return told;
  return completed.length > 0 ? 'no input was executed in time' : 'no job ran to its end';
}

/** On standard error: the answer stands on standard output. */
const say = (line: string) => process.stderr.write(`${line}\n`);
