import { setTimeout as sleep } from 'node:timers/promises';
import { feed } from '../../src/client/call.js';
import { countdown } from '../fleet/countdown.js';
import { Lines } from '../fleet/lines.js';
import { createJob, registerBots } from '../fleet/stock.js';
import { VirtualBot } from '../fleet/virtual-bot.js';
import { Latencies, type Percentiles } from '../latencies.js';
import { LoopDelay } from '../loop-delay.js';
import { eachInFlight } from '../measure.js';
import { errorsText, runScenario, type Scenario, type ScenarioRun } from './ghz.js';
import { type NewCrash, prepareCrash, type Stocked, uploadCrash } from './stocked.js';

/**
 * Of everything, a second, at level 1: 5,000 bots that beat every 5 s, each done
 * with a job every two minutes and a crash found every four; new jobs in a burst
 * a second; three dozen operators, who look at lists and single jobs and watch.
 */
const perSecond = { beats: 1000, results: 40, jobs: 40, crashes: 20 };
const readsPerSecond: Readonly<Partial<Record<Scenario, number>>> = {
  'get-job': 40,
  'list-jobs': 20,
  'list-crashes': 10,
  'get-system-stats': 10,
};
/** They stand for the 5,000, and beat as often as those do together. */
const streams = 500;
const botsPerLine = 10;
const watchers = 3;
/** Of a burst of new jobs: a script's few. */
const burstInFlight = 4;
const tickMs = 5;
/** Until programs are started: this thread stands still meanwhile, and would call that latency. */
const startMs = 300;

export interface Served {
  /** Beats until they were acknowledged. */
  readonly acks: Percentiles;
  /** How late this thread was: as much of the above is not the master's. */
  readonly ownDelay: Percentiles;
  /** Of what was asked for, what was done; of the kind that did worst. */
  readonly share: number;
  readonly about: string;
}

/** A fleet and its operators, at as many times their rates as is asked for. */
export class Traffic {
  #acks = new Latencies();
  readonly #done = { beats: 0, results: 0, jobs: 0, crashes: 0 };
  readonly #over = new AbortController();

  private constructor(
    private readonly stocked: Stocked,
    private readonly bots: readonly VirtualBot[],
    private readonly lines: Lines,
  ) {}

  /** Every bot holds a job, and the operators watch. There have to be jobs. */
  static async start(stocked: Stocked): Promise<Traffic> {
    const { connection, master } = stocked;
    const lines = new Lines(master.address, streams / botsPerLine);
    const holding = countdown(streams);
    const ids = await registerBots(connection, streams, 1);
    const bots: VirtualBot[] = [];
    const traffic = new Traffic(stocked, bots, lines);
    for (const id of ids) bots.push(traffic.#bot(id, holding.one));
    for (const [index, bot] of bots.entries()) bot.connect(lines.of(index));
    await holding.over;
    for (let i = 0; i < watchers; i++) void traffic.#watch();
    return traffic;
  }

  async run(level: number, seconds: number): Promise<Served> {
    const { outputs: crashes } = await eachInFlight(
      Array.from({ length: Math.ceil(perSecond.crashes * level * seconds) }),
      8,
      () => prepareCrash(this.stocked.folder),
    );
    const reads = Object.entries(readsPerSecond).map(([scenario, rate]) =>
      this.#reads(scenario as Scenario, rate * level, seconds + startMs / 1000),
    );
    await sleep(startMs);
    this.#acks = new Latencies();
    Object.assign(this.#done, { beats: 0, results: 0, jobs: 0, crashes: 0 });
    const delay = new LoopDelay();
    await delay.watch(() => this.#bringAll(level, seconds, crashes));
    const shares = Object.entries(perSecond).map(([kind, rate]) =>
      shareOf(this.#done[kind as keyof typeof perSecond], rate * level * seconds),
    );
    const told = await Promise.all(reads);
    const codes = told.map(({ run, scenario }) => `${scenario} ${errorsText(run.codes)}`);
    return {
      acks: this.#acks.percentiles,
      ownDelay: delay.percentiles,
      share: Math.min(...shares, ...told.map(({ share }) => share)),
      about: codes.join(', '),
    };
  }

  stop(): void {
    this.#over.abort();
    this.lines.close();
  }

  #bot(id: string, assigned: () => void): VirtualBot {
    const bot: VirtualBot = new VirtualBot(id, 1, {
      assigned,
      answered: (count, tookMs) => {
        this.#done.beats += count;
        for (let i = 0; i < count; i++) this.#acks.record(tookMs);
      },
      done: () => {
        this.#done.results++;
        bot.beat(); // tells of the slot that is free
      },
    });
    return bot;
  }

  /** What bots bring, and new jobs: begun when it is due, whatever became of what came before. */
  async #bringAll(level: number, seconds: number, crashes: readonly NewCrash[]): Promise<void> {
    const begun = { beats: 0, results: 0, crashes: 0, bursts: 0 };
    const underWay: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let passed = 0; passed < seconds; ) {
      passed = Math.min((performance.now() - startedAt) / 1000, seconds);
      const due = (kind: keyof typeof perSecond) => Math.floor(perSecond[kind] * level * passed);
      for (; begun.beats < due('beats'); begun.beats++) this.#next(begun.beats).beat();
      for (; begun.results < due('results'); begun.results++) this.#finishNext(begun.results);
      for (; begun.crashes < due('crashes'); begun.crashes++)
        underWay.push(this.#crash(crashes[begun.crashes]));
      for (; begun.bursts < passed; begun.bursts++) {
        underWay.push(this.#burst(perSecond.jobs * level * Math.min(1, seconds - begun.bursts)));
      }
      await sleep(tickMs);
    }
    await Promise.all(underWay);
  }

  #next(index: number): VirtualBot {
    return this.bots[index % this.bots.length] as VirtualBot;
  }

  /** Of bots far from those that beat now. */
  #finishNext(index: number): void {
    const bot = this.#next(index * 7);
    for (const lease of bot.leases.values()) bot.finish(lease);
  }

  async #burst(jobs: number): Promise<void> {
    const { connection, spec } = this.stocked;
    await eachInFlight(Array.from({ length: Math.round(jobs) }), burstInFlight, async () => {
      await createJob(connection, spec);
      this.#done.jobs++;
    });
  }

  async #crash(crash: NewCrash | undefined): Promise<void> {
    if (!crash) return;
    await uploadCrash(this.stocked, crash);
    this.#done.crashes++;
  }

  async #reads(scenario: Scenario, rate: number, seconds: number) {
    const { master, folder, jobId } = this.stocked;
    const data = scenario === 'get-job' ? { data: { job_id: jobId } } : {};
    const load = { rate, seconds, concurrency: 20, yields: true, ...data };
    const run: ScenarioRun = await runScenario(master.address, scenario, folder, load);
    return { scenario, run, share: shareOf(run.codes['OK'] ?? 0, rate * seconds) };
  }

  async #watch(): Promise<void> {
    const { jobs } = this.stocked.connection;
    const { signal } = this.#over;
    try {
      for await (const _ of feed(jobs, jobs.watchJobs, { cursor: 0, jobId: '' }, signal));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Two of each kind may be under way as the time is over: of few, that is much. */
const shareOf = (done: number, asked: number) => Math.min((done + 2) / asked, 1);
