import { readdir } from 'node:fs/promises';
import { status as Code } from '@grpc/grpc-js';
import type { Connection } from '../../client/connect.js';
import { failureOf } from '../../client/failure.js';
import { clipUtf8 } from '../../core/clip.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { LogTail } from '../../core/log-tail.js';
import type { CorpusKey } from '../../gen/pandafuzz/v1/corpus_service.js';
import { LeasePhase } from '../../gen/pandafuzz/v1/heartbeat.js';
import {
  JobKind,
  JobOutcome,
  type JobResult,
  type JobSpec,
  type JobStatistics,
  StartTrouble,
} from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { TargetFault } from '../../target/fault.js';
import { Exchange } from '../corpus/exchange.js';
import { PutAside } from '../corpus/put-aside.js';
import type { OpenStock, Stocks } from '../corpus/stocks.js';
import type { Engine } from '../engines/engine.js';
import { Findings } from '../findings/findings.js';
import { HitReports } from '../findings/hit-reports.js';
import { HitsOnDisk } from '../findings/hits-on-disk.js';
import type { Spool } from '../findings/spool.js';
import type { UnsentInputs } from '../findings/unsent-inputs.js';
import type { ArtifactCache } from '../folders/artifacts.js';
import type { EngineStates } from '../folders/engine-states.js';
import { makeRunFolder, type RunFolder, runFolderName } from '../folders/run-folder.js';
import type { Containment, RunContainment } from '../sandbox/containment.js';
import { SandboxError } from '../sandbox/sandbox.js';
import type { RunSecrets } from '../sandbox/secrets.js';
import { BrokenBoundError, boundsOf } from './bounds.js';
import { measure } from './coverage/measure.js';
import { minimise } from './crashes/minimise.js';
import { rerun } from './crashes/rerun.js';
import { UnfitTargetError } from './crashes/trial.js';
import type { FuzzEnd } from './ends.js';
import { writeResult } from './finished-run.js';
import { fuzz } from './fuzz.js';
import { Loading } from './loading/loading.js';
import { merge } from './merge.js';
import type { SlotRun, StopReason } from './slots.js';
import { Tally } from './tally.js';
import { type PreparedTarget, prepareTarget } from './target.js';
import { notStarted, uselessStart, wordsOfSpawnError } from './useless-start.js';

/** What the contract allows for a result's message. */
const longestMessageBytes = 4096;

export interface RunParts {
  readonly engine: Engine;
  readonly artifacts: ArtifactCache;
  readonly spool: Spool;
  readonly connection: Connection;
  /** Time between two exchanges of inputs with the other bots, milliseconds; 0: none. */
  readonly exchangeIntervalMs: number;
  /** Corpora on this bot's disk. */
  readonly stocks: Stocks;
  readonly containment: Containment;
  readonly unsent: UnsentInputs;
  /** Folder of all runs. */
  readonly runs: string;
  /** Takes what the engine prints, for people who look on. */
  readonly output: LogTail;
  readonly states: EngineStates;
  readonly log: Logger;
  readonly clock?: Clock;
  /** A start has failed by trouble of the machine. */
  readonly onTrouble?: () => void;
  /** SHA-256 of inputs of crashes that earlier attempts found, in hex digits. */
  readonly knownInputs?: readonly string[];
  /** Values of the secrets that the job names. */
  readonly secrets?: RunSecrets;
}

/** Jobs of 0.1.0 knew no projects. */
const corpusOf = ({ project, targetName }: JobSpec): CorpusKey => ({
  project: project || 'default',
  targetName,
});

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
export class Run implements SlotRun {
  #phase = LeasePhase.PREPARING;
  readonly #stop = new AbortController();
  readonly #forget = new AbortController();
  readonly #findings: Findings;
  readonly #hitReports: HitReports;
  readonly #tally: Tally;
  #folder: RunFolder | undefined;
  #contained: RunContainment | undefined;
  #exchange: Exchange | undefined;
  #stock: OpenStock | undefined;
  #loading: Loading | undefined;
  readonly #aside: PutAside;
  #hits: HitsOnDisk | undefined;
  /** The result, once every crash is acknowledged; undefined when it was abandoned. Never rejects. */
  readonly ended: Promise<JobResult | undefined>;
  readonly #quiet = Promise.withResolvers<void>();

  constructor(
    readonly lease: Lease,
    private readonly spec: JobSpec,
    private readonly parts: RunParts,
  ) {
    const { connection, log, clock } = parts;
    const findings = new Findings(parts.knownInputs);
    this.#findings = findings;
    this.#hitReports = new HitReports({ connection, lease, findings, log, clock });
    const corpus = corpusOf(spec);
    this.#aside = new PutAside({ connection, lease, corpus, targetSha256: spec.targetSha256 });
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
    const { engine, states } = this.parts;
    const left = (await readdir(folder.artifacts)).filter(engine.isCrash);
    const isToGoOn = engine.resumes && this.#stopReason === 'shutdown';
    if (isToGoOn) await states.keep(this.lease.jobId, folder.state);
    if (left.length === 0) await folder.remove();
    else this.parts.log.error({ folder: folder.path }, 'crashes left in place');
  }

  async #run(): Promise<JobResult | undefined> {
    const { log, spool } = this.parts;
    const end = await this.#work().catch((error) => this.#explain(error));
    const { outcome, message: why, final, trouble, cause } = end;
    await this.#loading?.stop();
    this.#tally.stop();
    await this.#contained?.release();
    this.#phase = LeasePhase.FINISHING;
    const message = withNote(why, this.spec.kind === JobKind.UNSPECIFIED ? this.#aside.note : '');
    const result = {
      ...{ outcome, message: clipUtf8(message, longestMessageBytes) },
      ...(final && { final }),
      ...(trouble !== undefined && { trouble, cause: cause ?? '' }),
    };
    await this.#keep({ ...result, statistics: this.#tally.statistics });
    this.#quiet.resolve();
    log.info({ outcome: JobOutcome[outcome], why: message || undefined, final }, 'run ended');
    if (trouble !== undefined) this.parts.onTrouble?.();
    await this.#exchange?.end(this.#forget.signal);
    await this.#stock?.close();
    while (spool.countOf(this.lease) > 0 && !this.#forget.signal.aborted) {
      await spool.changed(this.#forget.signal);
    }
    await this.#hitReports.end(this.#forget.signal);
    await this.#hits?.close();
    if (this.#forget.signal.aborted) return undefined;
    return { ...result, statistics: this.#tally.statistics };
  }

  /** For the next process of the bot, should this one be killed before the master has the result. */
  async #keep(result: JobResult): Promise<void> {
    const isOfBot = result.outcome === JobOutcome.INFRASTRUCTURE;
    if (!this.#folder || isOfBot || this.#forget.signal.aborted) return;
    await writeResult(this.#folder.path, this.lease, result).catch((error) =>
      this.parts.log.warn({ why: messageOf(error) }, 'result not on disk'),
    );
  }

  async #work(): Promise<FuzzEnd> {
    const { containment, engine, log, spool, output, clock = systemClock, secrets } = this.parts;
    const refusal = engine.refusal(this.spec);
    if (refusal) return { outcome: JobOutcome.FAILED, message: refusal, final: true };
    const { folder, spec } = await this.#prepare();
    const name = runFolderName(this.lease);
    const bounds = boundsOf(spec);
    this.#contained = await containment.forRun({
      ...{ name, folder: folder.path, bounds },
      ...(secrets && { secrets }),
    });
    const { tools } = this.#contained;
    this.#stop.signal.throwIfAborted();
    this.#phase = LeasePhase.FUZZING;
    const { lease } = this;
    const engineVersion = await engine.versionFor(folder.target);
    const context = { lease, spec, engine, engineVersion, folder, tools, spool };
    const attempt = { ...context, output, log, clock };
    const signal = this.#stop.signal;
    const { connection, stocks } = this.parts;
    if (spec.kind === JobKind.MERGE) {
      this.#stock ??= await stocks.open(corpusOf(spec));
      const of = { stock: this.#stock.stock, aside: this.#aside };
      return merge({ ...attempt, ...of, connection, signal });
    }
    if (spec.kind === JobKind.COVERAGE) {
      this.#stock ??= await stocks.open(corpusOf(spec));
      return measure({ ...attempt, stock: this.#stock.stock, connection, signal });
    }
    if (spec.kind !== JobKind.UNSPECIFIED) {
      const work = spec.kind === JobKind.MINIMISE ? minimise : rerun;
      return work({ ...attempt, connection, signal });
    }
    this.#hitReports.start();
    const [tally, findings, aside] = [this.#tally, this.#findings, this.#aside];
    const exchange = this.#exchange;
    const whileStill = async (work: () => Promise<void>) => {
      await exchange?.seedsSent;
      await (exchange ? exchange.whileStill(work) : work());
    };
    const hits = new HitsOnDisk({ folder: folder.path, findings, log, clock });
    this.#hits = hits;
    const fuzzing = { ...attempt, tally, findings, hits, aside, signal };
    this.#loading = new Loading({ ...fuzzing, whileStill });
    const isCorpusFull = () => exchange?.isCorpusFull ?? false;
    return fuzz({ ...fuzzing, loading: this.#loading, isCorpusFull });
  }

  async #prepare(): Promise<PreparedTarget> {
    const { artifacts, engine, runs, states, unsent } = this.parts;
    const { spec } = this;
    const { signal } = this.#stop;
    const folder = await makeRunFolder(runs, this.lease, spec);
    this.#folder = folder;
    if (engine.resumes) await states.restore(this.lease.jobId, folder.state);
    const prepared = await prepareTarget({ artifacts, spec, folder, signal });
    if (spec.kind === JobKind.UNSPECIFIED) await unsent.take(spec, folder.corpus);
    await this.#beginExchange(prepared.folder);
    return prepared;
  }

  async #beginExchange(folder: RunFolder): Promise<void> {
    const { connection, engine, stocks, exchangeIntervalMs: intervalMs, log, clock } = this.parts;
    if (intervalMs === 0 || this.spec.kind !== JobKind.UNSPECIFIED) return;
    const { lease, spec } = this;
    this.#stock = await stocks.open(corpusOf(spec));
    const of = { lease, stock: this.#stock.stock, aside: this.#aside, engine, folder };
    this.#exchange = new Exchange({ connection, ...of, intervalMs, log, ...(clock && { clock }) });
    await this.#exchange.begin(this.#stop.signal);
  }

  get #stopReason(): StopReason | undefined {
    const { aborted, reason } = this.#stop.signal;
    return aborted ? (reason as Stopped).reason : undefined;
  }

  async #explain(error: unknown): Promise<FuzzEnd> {
    const reason = this.#stopReason;
    if (reason === 'cancelled') {
      return { outcome: JobOutcome.CANCELLED, message: 'stopped on request' };
    }
    if (reason) return { outcome: JobOutcome.INFRASTRUCTURE, message: 'bot is shutting down' };
    if (error instanceof UnfitTargetError) return error.end;
    if (error instanceof TargetFault) {
      return { outcome: JobOutcome.FAILED, message: error.message, final: true };
    }
    if (error instanceof BrokenBoundError) {
      return { outcome: JobOutcome.FAILED, message: error.message };
    }
    const failure = failureOf(error);
    if (failure?.code === Code.NOT_FOUND) {
      return {
        outcome: JobOutcome.FAILED,
        message: 'the master does not have the target, its seeds or the input of a crash',
        final: true,
      };
    }
    const folder = this.#folder;
    const words = folder && wordsOfSpawnError(error);
    if (words) return uselessStart(notStarted, words, { engine: this.parts.engine, folder });
    const code = codeOf(error);
    const message = `the bot could not go on${code ? ` (${code})` : ''}: ${messageOf(error)}`;
    this.parts.log.error({ err: error }, 'run failed');
    const isOfSystem = failure === undefined && code !== undefined && /^E[A-Z0-9]+$/.test(code);
    const isOfMachine = isOfSystem || error instanceof SandboxError;
    const trouble = isOfMachine ? { trouble: StartTrouble.MACHINE } : {};
    return { outcome: JobOutcome.INFRASTRUCTURE, message, ...trouble };
  }
}

const withNote = (message: string, note: string) => [message, note].filter(Boolean).join('. ');
