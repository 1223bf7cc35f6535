import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { newId } from '../core/ids.js';
import type { Signal } from '../core/signal.js';
import type { RegisterBotRequest } from '../gen/pandafuzz/v1/bot_service.js';
import type { DeepPartial, JobSpec } from '../gen/pandafuzz/v1/job.js';
import { Assignment } from '../gen/pandafuzz/v1/lease.js';
import { BotProcess } from './bot-process.js';
import { Breach, CutShort, Findings } from './findings.js';
import { OfferedJob, specOf } from './jobs.js';
import { PlayedMaster, receipt, usualManner } from './master.js';
import type { BotStream } from './stream.js';
import { targetScript } from './target.js';

export interface StageOptions {
  /** How the bot is started, by a shell. */
  readonly command: string;
  /** Engine of the jobs; undefined: one that the bot announces. */
  readonly engine?: string | undefined;
  /** What jobs run; undefined: a script of our own, made anew for each job. */
  readonly target?: Buffer | undefined;
  /** For one step of the bot, milliseconds. */
  readonly waitMs: number;
  /** For the bot to start and to register, milliseconds. */
  readonly startMs: number;
  readonly isVerbose: boolean;
  readonly signal: Signal;
}

/** Slots that the bot is asked to have, by PANDAFUZZ_BOT_SLOTS. */
const wantedSlots = '2';
/** For a bot to stop a job between two checks, milliseconds; otherwise it is started again. */
const mostTidyMs = 5000;

interface JobWish extends DeepPartial<JobSpec> {
  readonly crashes?: boolean;
  /** Of the download, as in Files. */
  readonly breaks?: number;
  readonly isWrong?: boolean;
}

/** The master, the bot's process, and steps that checks are made of. */
export class Stage {
  readonly findings = new Findings();
  readonly master = new PlayedMaster(this.findings);
  #bot: BotProcess | undefined;
  #workDir = '';

  constructor(readonly options: StageOptions) {
    options.signal.addEventListener('abort', () => this.master.changes.wake(), { once: true });
  }

  get isAborted(): boolean {
    return this.options.signal.aborted;
  }

  get process(): BotProcess {
    if (!this.#bot) throw new CutShort('the bot is not running');
    return this.#bot;
  }

  /** As it registered last; undefined: it never did. */
  bot: RegisterBotRequest | undefined;

  /** The open stream. @throws Breach when there is none */
  get stream(): BotStream {
    const stream = this.master.stream;
    if (!stream) throw new Breach('it ended its stream');
    return stream;
  }

  /** The engine of jobs. */
  get engine(): string {
    const { engine } = this.options;
    const engines = this.bot?.engines ?? [];
    const known = ['libfuzzer', 'command'].find((name) => engines.includes(name));
    return engine ?? known ?? engines[0] ?? 'libfuzzer';
  }

  /** Waits until `isSo`, and no longer than `mostMs`. @returns whether it is */
  async within(mostMs: number, isSo: () => boolean): Promise<boolean> {
    const deadline = this.master.now() + mostMs;
    for (;;) {
      this.options.signal.throwIfAborted();
      if (isSo()) return true;
      if (this.#bot?.ending !== undefined) throw this.#cutShort();
      const leftMs = deadline - this.master.now();
      if (leftMs <= 0) return false;
      await this.master.changes.wait(leftMs);
    }
  }

  /** Waits until `isSo`. @throws Breach with what `otherwise` says, when the time is over */
  async until(
    isSo: () => boolean,
    otherwise: string | (() => string),
    mostMs = this.options.waitMs,
  ): Promise<void> {
    if (await this.within(mostMs, isSo)) return;
    throw new Breach(typeof otherwise === 'string' ? otherwise : otherwise());
  }

  /** More beats of the open stream. What was sent before the first was heard before the second. */
  async beats(count: number): Promise<void> {
    const { stream } = this;
    const wanted = stream.beats.length + count;
    await this.until(
      () => stream.isOver || stream.beats.length >= wanted,
      () => `no beat came for ${inSeconds(this.options.waitMs)}`,
    );
    if (stream.isOver) throw new Breach('it ended its stream, though nothing asked for that');
  }

  /** Ends the open stream as a broken connection would. */
  breakOff(): void {
    this.stream.fail(Code.UNAVAILABLE, 'the stream broke off');
  }

  /** The stream that the bot opens after its last one broke off. */
  streamAfterBreak(): Promise<BotStream> {
    const before = this.master.streams.length;
    this.breakOff();
    return this.nextStream(before);
  }

  /** A stream newer than those there were; Welcome has answered it. */
  async nextStream(after: number, mostMs = this.options.waitMs): Promise<BotStream> {
    const { streams } = this.master;
    await this.until(
      () => streams.length > after && streams.at(-1)?.hello !== undefined,
      `no new stream came within ${inSeconds(mostMs)}`,
      mostMs,
    );
    return this.stream;
  }

  offer(wish: JobWish = {}): OfferedJob {
    const { crashes = false, breaks = 0, isWrong = false, ...spec } = wish;
    const bytes = this.options.target ?? targetScript(newId(), crashes);
    this.master.files.add(bytes, { breaks, isWrong });
    const job = new OfferedJob(specOf(bytes, this.engine, spec));
    this.master.jobs.push(job);
    const { lease } = job;
    const { leaseTtlMs: ttlMs } = this.master.times;
    const assignment = Assignment.fromPartial({ lease, spec: job.spec, ttlMs });
    this.stream.say({ $case: 'assign', value: { assignment } });
    return job;
  }

  /** A job that the bot has accepted, and names in its beats. */
  async held(wish: JobWish = {}): Promise<OfferedJob> {
    const job = this.offer(wish);
    const waited = inSeconds(this.options.waitMs);
    await this.until(
      () => job.acks > 0 || job.rejects.length > 0,
      `no LeaseAck came within ${waited} after Assign`,
    );
    const [reject] = job.rejects;
    if (reject)
      throw new Breach(`it refused a job for its engine ${this.engine}: ${reject.reason}`);
    const isThere = () => job.named > 0 || job.dones.length > 0;
    await this.until(isThere, `no beat named the lease within ${waited} after LeaseAck`);
    return job;
  }

  /** A bot that is connected, has a free slot and holds nothing: this one, or another process of it. */
  async ready(): Promise<void> {
    if (!(await this.#tidy())) await this.#startBot();
  }

  /** Everything that was started ends. */
  async end(): Promise<void> {
    await this.#stopBot();
    this.master.stop();
  }

  async #startBot(): Promise<void> {
    const { command, isVerbose, startMs } = this.options;
    await this.#stopBot();
    this.master.forget();
    this.#workDir = await mkdtemp(join(tmpdir(), 'pandafuzz-conformance-'));
    const { address, streams, registrations } = this.master;
    this.#bot = new BotProcess({
      command: command.replaceAll('{master}', address).replaceAll('{work_dir}', this.#workDir),
      environment: {
        ...process.env,
        PANDAFUZZ_MASTER: address,
        PANDAFUZZ_BOT_WORK_DIR: this.#workDir,
        PANDAFUZZ_BOT_NAME: 'conformance',
        PANDAFUZZ_BOT_SLOTS: wantedSlots,
      },
      isVerbose,
      onEnd: () => this.master.changes.wake(),
    });
    const within = `within ${inSeconds(startMs)}`;
    await this.#starting(
      'register',
      () => registrations.length > 0,
      `no RegisterBot came ${within}`,
    );
    this.bot = this.master.registration;
    await this.#starting(
      'hello',
      () => streams.at(-1)?.hello !== undefined,
      `no Hello came ${within}`,
    );
    await this.#starting('beats', () => this.#isFree(), `no beat with a free slot came ${within}`);
  }

  async #starting(
    rule: 'register' | 'hello' | 'beats',
    isSo: () => boolean,
    otherwise: string,
  ): Promise<void> {
    try {
      await this.until(isSo, otherwise, this.options.startMs);
    } catch (error) {
      if (error instanceof Breach) {
        this.findings.broken(rule, error.message);
        throw new CutShort(error.message);
      }
      throw error;
    }
  }

  #isFree(): boolean {
    const beat = this.master.stream?.beats.at(-1);
    return beat !== undefined && beat.leases.length === 0 && beat.freeSlots > 0;
  }

  /** Ends what the last check left behind. @returns whether this process can go on */
  async #tidy(): Promise<boolean> {
    const { master } = this;
    if (!this.#bot || this.#bot.ending !== undefined) return false;
    const wasDraining = master.manner.isDraining;
    master.manner = { ...usualManner(), isDraining: false };
    for (const job of master.jobs) {
      if (job.isLost) job.isOver = true;
      job.isCancelled = true;
      for (const { value } of job.dones.slice(-1)) {
        if (!job.isOver) {
          master.stream?.say({
            $case: 'jobDoneAck',
            value: { lease: value.lease, outcome: receipt(job) },
          });
        }
        job.isOver = true;
      }
    }
    if (wasDraining) master.stream?.say({ $case: 'resume', value: {} });
    if (!master.stream?.isWelcomed) return false;
    try {
      const isTidy = () => this.#isFree() && master.jobs.every((job) => !job.isHeld);
      if (!(await this.within(Math.min(this.options.waitMs, mostTidyMs), isTidy))) return false;
      await this.beats(1);
    } catch (error) {
      if (error instanceof Breach || error instanceof CutShort) return false;
      throw error;
    }
    return this.#isFree();
  }

  async #stopBot(): Promise<void> {
    await this.#bot?.stop();
    this.#bot = undefined;
    const workDir = this.#workDir;
    this.#workDir = '';
    if (workDir) await rm(workDir, { recursive: true, force: true, maxRetries: 5 });
  }

  #cutShort(): CutShort {
    const { ending = 'ended', lastLines = '' } = this.#bot ?? {};
    return new CutShort(`the bot ${ending}${lastLines && `; it printed last:\n${lastLines}`}`);
  }
}

export const inSeconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
