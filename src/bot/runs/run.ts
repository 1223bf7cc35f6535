import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import type { Connection } from '../../client/connect.js';
import { failureOf } from '../../client/failure.js';
import { clipUtf8 } from '../../core/clip.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { LeasePhase } from '../../gen/pandafuzz/v1/heartbeat.js';
import {
  JobKind,
  JobOutcome,
  type JobResult,
  type JobSpec,
  type JobStatistics,
} from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { Exchange } from '../corpus/exchange.js';
import { SeedsError, unpackSeeds } from '../corpus/seeds.js';
import type { Engine } from '../engines/engine.js';
import { Findings } from '../findings/findings.js';
import { HitReports } from '../findings/hit-reports.js';
import type { Spool } from '../findings/spool.js';
import type { ArtifactCache } from '../folders/artifacts.js';
import { makeRunFolder, type RunFolder, runFolderName } from '../folders/run-folder.js';
import type { Containment, RunContainment } from '../sandbox/containment.js';
import { BrokenBoundError, boundsOf } from './bounds.js';
import { minimise } from './crashes/minimise.js';
import { rerun } from './crashes/rerun.js';
import { UnfitTargetError } from './crashes/trial.js';
import type { FuzzEnd } from './ends.js';
import { fuzz } from './fuzz.js';
import { Tally } from './tally.js';

/** What the contract allows for a result's message. */
const longestMessageBytes = 4096;

export interface RunParts {
  readonly engine: Engine;
  readonly artifacts: ArtifactCache;
  readonly spool: Spool;
  readonly connection: Connection;
  /** Time between two exchanges of inputs with the other bots, milliseconds; 0: none. */
  readonly exchangeIntervalMs: number;
  readonly containment: Containment;
  /** Folder of all runs. */
  readonly runs: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Why a run is stopped before its limits: with what result, or with none. */
export type StopReason = 'cancelled' | 'shutdown' | 'abandoned';

class Stopped extends Error {
  constructor(readonly reason: StopReason) {
    super(`the run was stopped: ${reason}`);
  }
}

/**
 * One attempt of a job: PREPARING (target, seeds, what other bots found), FUZZING,
 * FINISHING (until its inputs and every crash it found are acknowledged by the
 * master). A run that is stopped goes on to FINISHING; an abandoned one ends without
 * a result, and its crashes are sent all the same.
 */
export class Run {
  #phase = LeasePhase.PREPARING;
  readonly #stop = new AbortController();
  readonly #forget = new AbortController();
  readonly #findings = new Findings();
  readonly #hitReports: HitReports;
  readonly #tally: Tally;
  #folder: RunFolder | undefined;
  #contained: RunContainment | undefined;
  #exchange: Exchange | undefined;
  /** The result, once every crash is acknowledged; undefined when it was abandoned. Never rejects. */
  readonly ended: Promise<JobResult | undefined>;
  readonly #quiet = Promise.withResolvers<void>();

  constructor(
    readonly lease: Lease,
    private readonly spec: JobSpec,
    private readonly parts: RunParts,
  ) {
    const { connection, log, clock } = parts;
    const findings = this.#findings;
    this.#hitReports = new HitReports({ connection, lease, findings, log, clock });
    this.#tally = new Tally(this.#findings, parts.clock ?? systemClock);
    this.ended = this.#run();
  }

  /** Resolves when the engine is dead and what it found is in the spool. */
  get quiet(): Promise<void> {
    return this.#quiet.promise;
  }

  get phase(): LeasePhase {
    return this.#phase;
  }

  get statistics(): JobStatistics {
    return this.#tally.statistics;
  }

  /** Idempotent; only "abandoned" goes over an earlier reason. */
  stop(reason: StopReason): void {
    this.#stop.abort(new Stopped(reason));
    if (reason === 'abandoned') this.#forget.abort();
  }

  /** To be called when the master needs nothing more of this run. */
  async remove(): Promise<void> {
    await this.ended;
    const folder = this.#folder;
    if (!folder) return;
    // Not so when the spool could not take a crash: the next start of the bot tries again.
    const left = (await readdir(folder.artifacts)).filter(this.parts.engine.isCrash);
    if (left.length === 0) await folder.remove();
    else this.parts.log.error({ folder: folder.path }, 'crashes left in place');
  }

  async #run(): Promise<JobResult | undefined> {
    const { log, spool } = this.parts;
    const { outcome, message } = await this.#work().catch((error) => this.#explain(error));
    this.#tally.stop();
    await this.#contained?.release();
    this.#phase = LeasePhase.FINISHING;
    this.#quiet.resolve();
    log.info({ outcome: JobOutcome[outcome], why: message || undefined }, 'run ended');
    await this.#exchange?.end(this.#forget.signal);
    while (spool.countOf(this.lease) > 0 && !this.#forget.signal.aborted) {
      await spool.changed(this.#forget.signal);
    }
    await this.#hitReports.end(this.#forget.signal);
    if (this.#forget.signal.aborted) return undefined;
    const statistics = this.#tally.statistics;
    return { outcome, message: clipUtf8(message, longestMessageBytes), statistics };
  }

  async #work(): Promise<FuzzEnd> {
    const { containment, engine, log, spool, clock = systemClock } = this.parts;
    const refusal = engine.refusal(this.spec);
    if (refusal) return { outcome: JobOutcome.FAILED, message: refusal };
    const folder = await this.#prepare();
    const name = runFolderName(this.lease);
    const bounds = boundsOf(this.spec);
    this.#contained = await containment.forRun({ name, folder: folder.path, bounds });
    const { tools } = this.#contained;
    this.#stop.signal.throwIfAborted();
    this.#phase = LeasePhase.FUZZING;
    const { lease, spec } = this;
    const engineVersion = await engine.versionFor(folder.target);
    const attempt = { lease, spec, engine, engineVersion, folder, tools, spool, log, clock };
    const signal = this.#stop.signal;
    if (spec.kind !== JobKind.UNSPECIFIED) {
      const { connection } = this.parts;
      const work = spec.kind === JobKind.MINIMISE ? minimise : rerun;
      return work({ ...attempt, connection, signal });
    }
    this.#hitReports.start();
    return fuzz({ ...attempt, tally: this.#tally, findings: this.#findings, signal });
  }

  async #prepare(): Promise<RunFolder> {
    const { artifacts, runs } = this.parts;
    const { targetSha256, seedsSha256 } = this.spec;
    const signal = this.#stop.signal;
    const folder = await makeRunFolder(runs, this.lease, this.spec);
    this.#folder = folder;
    await artifacts.place(targetSha256, folder.target, signal);
    if (seedsSha256) {
      const archive = join(folder.path, 'seeds.tar.gz');
      await artifacts.place(seedsSha256, archive, signal);
      await unpackSeeds(archive, folder.seeds);
    }
    await this.#beginExchange(folder);
    return folder;
  }

  async #beginExchange(folder: RunFolder): Promise<void> {
    const { connection, engine, exchangeIntervalMs: intervalMs, log, clock } = this.parts;
    if (intervalMs === 0 || this.spec.kind !== JobKind.UNSPECIFIED) return;
    const { lease, spec } = this;
    const of = { lease, targetName: spec.targetName, engine, folder };
    this.#exchange = new Exchange({ connection, ...of, intervalMs, log, ...(clock && { clock }) });
    await this.#exchange.begin(this.#stop.signal);
  }

  #explain(error: unknown): FuzzEnd {
    const reason = this.#stop.signal.aborted && (this.#stop.signal.reason as Stopped).reason;
    if (reason === 'cancelled') {
      return { outcome: JobOutcome.CANCELLED, message: 'stopped on request' };
    }
    if (reason) return { outcome: JobOutcome.INFRASTRUCTURE, message: 'bot is shutting down' };
    const isForAuthor = [SeedsError, UnfitTargetError, BrokenBoundError].some(
      (kind) => error instanceof kind,
    );
    if (isForAuthor && error instanceof Error)
      return { outcome: JobOutcome.FAILED, message: error.message };
    if (failureOf(error)?.code === Code.NOT_FOUND) {
      return {
        outcome: JobOutcome.FAILED,
        message: 'the master does not have the target, its seeds or the input of a crash',
      };
    }
    const code = codeOf(error);
    const message = `the bot could not go on${code ? ` (${code})` : ''}: ${messageOf(error)}`;
    this.parts.log.error({ err: error }, 'run failed');
    return { outcome: JobOutcome.INFRASTRUCTURE, message };
  }
}
