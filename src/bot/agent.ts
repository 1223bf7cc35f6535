import { rm } from 'node:fs/promises';
import { arch, platform, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type Connection, connect } from '../client/connect.js';
import type { ClientTls } from '../client/tls.js';
import { systemClock } from '../core/clock.js';
import { coverageWork } from '../core/coverage-work.js';
import { crashWorkOf } from '../core/crash-work.js';
import { newId } from '../core/ids.js';
import { type IsolationWish, isolationNumber } from '../core/isolation.js';
import { Lifecycle } from '../core/lifecycle.js';
import type { Logger } from '../core/log.js';
import { LogTail } from '../core/log-tail.js';
import { mergeWorkOf } from '../core/merge-work.js';
import type { UserRange } from '../core/user-range.js';
import { version } from '../core/version.js';
import type { BotEngine } from '../gen/pandafuzz/v1/bot.js';
import { JobKind } from '../gen/pandafuzz/v1/job.js';
import { Stocks } from './corpus/stocks.js';
import { type FoundEngines, findEngines } from './engines/found.js';
import type { CoverageTools } from './engines/libfuzzer/coverage-tools.js';
import { findSymbolizer } from './engines/sanitizers.js';
import { LeftoverHits } from './findings/leftover-hits.js';
import { Spool } from './findings/spool.js';
import { UnsentInputs } from './findings/unsent-inputs.js';
import { sendSpool } from './findings/uploads.js';
import { ArtifactCache } from './folders/artifacts.js';
import { identityFile, readIdentity } from './folders/bot-identity.js';
import { Credential } from './folders/credential.js';
import { EngineStates } from './folders/engine-states.js';
import { claimWorkFolder, type WorkFolder } from './folders/identity.js';
import { Link } from './line/link.js';
import { begin } from './runs/begin.js';
import { FinishedRun } from './runs/finished-run.js';
import { clearLeftovers } from './runs/leftovers.js';
import { RunLogs } from './runs/run-logs.js';
import { Slots } from './runs/slots.js';
import { Containment } from './sandbox/containment.js';
import { Health } from './sandbox/health.js';
import { Machine } from './sandbox/machine.js';
import { foldersOf } from './sandbox/readable.js';
import { killEverything } from './sandbox/sandbox.js';
import { letRunsRead } from './sandbox/umask.js';
import { defaultUsers } from './sandbox/users.js';

export interface BotOptions {
  /** HOST:PORT. */
  readonly master: string;
  /** The token to call with, or to exchange for one; undefined: what the work folder has, or none. */
  readonly token?: string | undefined;
  /** What to speak TLS with; undefined: without TLS. */
  readonly tls?: (() => ClientTls) | undefined;
  /** Who this bot is to the master; unique in the fleet. */
  readonly name: string;
  /** Folder of its own. */
  readonly workDir: string;
  /** Jobs it runs at once. */
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Time between two exchanges of a run's inputs with the other bots', milliseconds; 0: none. */
  readonly exchangeIntervalMs: number;
  /** Disk that corpora of earlier runs may take, bytes; absent: 4 GiB. */
  readonly corpusCacheBytes?: number;
  /** How runs are kept apart; the best that works when left out. */
  readonly isolation?: IsolationWish;
  /** Users for runs where the bot is root; undefined: a range of the bot's choice. */
  readonly runUsers?: UserRange;
  /** Files and folders that runs may read, besides the system's programs. */
  readonly readable?: readonly string[];
  readonly log: Logger;
  /** The last of what the bot logged, for the master to read. Absent: nothing of it. */
  readonly ownLog?: LogTail;
}

/**
 * Seldom, milliseconds: its beats find out whether the master is there, and of ten thousand
 * bots the questions would cost more than the beats. For an upload whose connection has gone.
 */
const keepaliveMs = 300_000;
/** For dying engines to die, milliseconds; they are killed after half of it. */
const quietMs = 1000;
/** For the master to acknowledge crashes and results of a bot that goes, milliseconds. */
const farewellMs = 2000;
/** For the parts to stop, milliseconds. */
const stopMs = 1500;

const usualCacheBytes = 4 * 2 ** 30;

/** A bot at work: its parts, started and stopped in order. */
export class Agent {
  /** Resolves when the bot has stopped; rejects with UserError when the master will never have it. */
  readonly finished: Promise<void>;
  #stopping: Promise<void> | undefined;

  constructor(
    private readonly slots: Slots,
    private readonly link: Link,
    private readonly lifecycle: Lifecycle,
    linked: Promise<void>,
  ) {
    this.finished = linked.then(
      () => this.stop(),
      async (error) => {
        await this.stop();
        throw error;
      },
    );
  }

  /** @throws UserError when the work folder is another bot's or cannot be used */
  static async start(options: BotOptions): Promise<Agent> {
    const { log } = options;
    const lifecycle = new Lifecycle(log);
    const folder = await claimWorkFolder(options.workDir);
    lifecycle.own('work folder', () => folder.release());
    try {
      return await assemble(options, folder, lifecycle);
    } catch (error) {
      await lifecycle.stop(stopMs);
      throw error;
    }
  }

  /**
   * Idempotent; done within 5 s. Engines die first; crashes and results are sent while the
   * master answers, and what cannot be sent waits on disk.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.slots.close('shutdown');
    await within(quietMs, this.slots.quiet());
    if (this.link.isConnected) {
      const farewell = Promise.race([this.slots.emptied(), this.link.disconnected()]);
      await within(farewellMs, farewell);
    }
    await within(stopMs, this.slots.clear());
    killEverything();
    await this.lifecycle.stop(stopMs);
  }
}

async function assemble(
  options: BotOptions,
  folder: WorkFolder,
  lifecycle: Lifecycle,
): Promise<Agent> {
  const { log } = options;
  const symbolizer = findSymbolizer(folder.tools);
  const containment = await Containment.find({
    wish: options.isolation ?? 'auto',
    workDir: folder.path,
    users: options.runUsers ?? defaultUsers,
    readable: await readableFor(options.readable ?? [], symbolizer),
    log,
  });
  lifecycle.own('containment', () => containment.close());
  if (containment.givesUsers) letRunsRead();
  const warnings = symbolizer ? [] : [noSymbolizer];
  if (containment.runsAsRoot) warnings.push(runsAsRoot(folder.path));
  for (const warning of warnings) log.warn(warning);
  const engines = await findEngines({ symbolizer, path: process.env['PATH'] ?? '' }, log);
  const spool = await Spool.open(folder.spool, log);
  const unsent = new UnsentInputs(folder.unsent);
  const hits = await LeftoverHits.open(folder.hits);
  const states = new EngineStates(folder.states);
  const leftover = { states, spool, unsent, hits, engines, containment, log };
  const finished = await clearLeftovers({ runs: folder.runs, ...leftover });
  const credential = await Credential.open(folder.path, options.token, log);
  const token = () => credential.token;
  const connection: Connection = connect(options.master, { keepaliveMs, token, tls: options.tls });
  lifecycle.own('connection', () => connection.close());
  const working = new AbortController();
  const signal = working.signal;
  const artifacts = new ArtifactCache({ folder: folder.artifacts, connection, log, signal });
  await artifacts.prune();
  const makeRoom = () => artifacts.prune(0);
  const machine = await Machine.observe({ folder: folder.path, makeRoom, log });
  // The stream is made last, of parts that beat through it.
  const late: { link?: Link } = {};
  const health = await Health.observe({
    folder: folder.path,
    warnings,
    roomProblem: () => machine.trouble ?? '',
    onChanged: () => late.link?.beat(),
    log,
  });
  lifecycle.own('health', () => health.stop());

  const { exchangeIntervalMs, corpusCacheBytes: mostBytes = usualCacheBytes } = options;
  const stocks = new Stocks({ folder: folder.corpora, connection, mostBytes, log, signal });
  await stocks.prune();
  const common = { engines, states, artifacts, spool, unsent, stocks, connection, containment };
  const onTrouble = () => void health.check();
  const logs = new RunLogs(options.ownLog ?? new LogTail(0));
  const parts = { ...common, logs, exchangeIntervalMs, log, onTrouble };
  const slots: Slots = new Slots({
    count: options.slots,
    hasRoom: () => health.isWell,
    begin: (job) => begin(job, link.botId, { ...parts, runs: folder.runs }),
    logs,
    onDone: (done) => link.tell(done),
    onFree: () => link.beat(),
    log,
  });
  const identity = await readIdentity(folder.path, log);
  const instanceId = newId();
  const perSlot = (bytes: number) => Math.floor(bytes / options.slots / 2 ** 20);
  const link: Link = new Link({
    connection,
    describe: {
      name: options.name,
      engines: announced(engines),
      slots: options.slots,
      labels: { arch: arch(), os: platform(), ...options.labels },
      memoryMib: perSlot(totalmem()),
      diskMib: perSlot(machine.resources.diskFreeBytes),
      version,
      engineDetails: details(engines),
      containment: {
        level: isolationNumber(containment.level),
        gaps: [...containment.gaps],
        runsAsRoot: containment.runsAsRoot,
      },
      identity,
      instanceId,
    },
    instanceId,
    work: slots,
    resources: () => machine.resources,
    health: () => health.report,
    readLog: (question) => logs.answer(question),
    rivalAdvice: `stop the other one; if this work folder is a copy of its, delete ${join(folder.path, identityFile)} and start again`,
    onWelcome: () => spool.nudge(),
    enrol: (aborts) => credential.enrol(connection, options.name, aborts),
    log,
  });
  late.link = link;
  for (const { lease, result, path } of finished) {
    const removeFolder = () => rm(path, { recursive: true, force: true });
    slots.take(new FinishedRun(lease, result, { spool, log, removeFolder }));
  }
  const sent = Promise.all([
    sendSpool(spool, connection, { log, signal }),
    hits.send(connection, log, signal),
  ]);
  const linked = link.run(signal);
  lifecycle.own('stream and uploads', async () => {
    working.abort(new Error('the bot is shutting down'));
    await Promise.allSettled([linked, sent]);
  });
  log.info({ name: options.name, slots: options.slots, workDir: folder.path }, 'bot started');
  return new Agent(slots, link, lifecycle, linked);
}

/** With the name for work on crashes, for engines that can do some. */
const announced = (engines: FoundEngines): string[] =>
  [...engines.values()].flatMap(({ engine: { name, kinds, merge, measuring, coverage } }) => [
    name,
    ...(kinds.size > 0 ? [crashWorkOf(name)] : []),
    ...(merge && measuring ? [mergeWorkOf(name)] : []),
    ...(coverage?.length ? [coverageWork] : []),
  ]);

const details = (engines: FoundEngines): BotEngine[] =>
  [...engines.values()].flatMap(({ engine: { name, kinds, coverage }, version, note }) => {
    const of = {
      name,
      version,
      note,
      kinds: [...kinds].filter((kind) => kind !== JobKind.COVERAGE),
    };
    return coverage?.length ? [of, coverageDetails(coverage)] : [of];
  });

/** The tools of reports of source coverage, beside the engines. */
const coverageDetails = (tools: readonly CoverageTools[]): BotEngine => ({
  name: coverageWork,
  version: `LLVM ${tools.map(({ version }) => version).join(', ')}`,
  kinds: [JobKind.COVERAGE],
  note: '',
});

const noSymbolizer =
  'llvm-symbolizer is missing (Debian: llvm): stacks will show offsets instead of names';

const runsAsRoot = (workDir: string) =>
  `its runs are root, as the bot is: they get no user of their own ("bot get" says why; a work folder that other users may enter, not ${workDir}, is the usual remedy)`;

/** Runs need the symbolizer's files besides those that the bot's owner names. */
async function readableFor(
  named: readonly string[],
  symbolizer: string | undefined,
): Promise<string[]> {
  const ofSymbolizer = symbolizer === undefined ? [] : await foldersOf(symbolizer);
  return [...named.map((path) => resolve(path)), ...ofSymbolizer];
}

/** Waits for `work`, but no longer than `limitMs`. */
function within(limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = systemClock.schedule(limitMs, resolve);
    work.finally(() => {
      timer.cancel();
      resolve();
    });
  });
}
