import { arch, platform, totalmem } from 'node:os';
import { type Connection, connect } from '../client/connect.js';
import { systemClock } from '../core/clock.js';
import { crashWorkOf } from '../core/crash-work.js';
import { isId, newId } from '../core/ids.js';
import { Lifecycle } from '../core/lifecycle.js';
import type { Logger } from '../core/log.js';
import { version } from '../core/version.js';
import { JobKind, StartTrouble } from '../gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../gen/pandafuzz/v1/lease.js';
import type { Engine } from './engines/engine.js';
import { libFuzzer } from './engines/libfuzzer.js';
import { findSymbolizer } from './engines/sanitizers.js';
import { Spool } from './findings/spool.js';
import { sendSpool } from './findings/uploads.js';
import { ArtifactCache } from './folders/artifacts.js';
import { claimWorkFolder, type WorkFolder } from './folders/identity.js';
import { Link } from './line/link.js';
import type { Refusal } from './line/session.js';
import { clearLeftovers } from './runs/leftovers.js';
import { Run } from './runs/run.js';
import { Slots } from './runs/slots.js';
import { Health } from './sandbox/health.js';
import { Machine } from './sandbox/machine.js';
import { findSandboxTools, killEverything, type SandboxTools } from './sandbox/sandbox.js';

export interface BotOptions {
  /** HOST:PORT. */
  readonly master: string;
  /** Who this bot is to the master; unique in the fleet. */
  readonly name: string;
  /** Folder of its own. */
  readonly workDir: string;
  /** Jobs it runs at once. */
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Time between two exchanges of a run's inputs with the other bots', milliseconds; 0: none. */
  readonly exchangeIntervalMs: number;
  readonly log: Logger;
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
  const tools = findSandboxTools();
  const symbolizer = findSymbolizer(folder.tools);
  const warnings = missingTools(tools, symbolizer);
  for (const warning of warnings) log.warn(warning);
  const engine = libFuzzer({ symbolizer });
  const spool = await Spool.open(folder.spool, log);
  await clearLeftovers({ runs: folder.runs, spool, engine, tools, log });
  const machine = await Machine.observe(folder.path);
  // The stream is made last, of parts that beat through it.
  const late: { link?: Link } = {};
  const health = await Health.observe({
    folder: folder.path,
    tools,
    warnings,
    roomProblem: () => machine.roomProblem,
    onChanged: () => late.link?.beat(),
    log,
  });
  lifecycle.own('health', () => health.stop());

  const connection: Connection = connect(options.master, keepaliveMs);
  lifecycle.own('connection', () => connection.close());
  const working = new AbortController();
  const signal = working.signal;
  const artifacts = new ArtifactCache({ folder: folder.artifacts, connection, log, signal });
  await artifacts.prune();

  const { exchangeIntervalMs } = options;
  const onTrouble = () => void health.check();
  const parts = { engine, artifacts, spool, connection, tools, exchangeIntervalMs, log, onTrouble };
  const slots: Slots = new Slots({
    count: options.slots,
    hasRoom: () => health.isWell,
    begin: (job) => begin(job, link.botId, { ...parts, runs: folder.runs }),
    onDone: (done) => link.tell(done),
    onFree: () => link.beat(),
    log,
  });
  const perSlot = (bytes: number) => Math.floor(bytes / options.slots / 2 ** 20);
  const link: Link = new Link({
    connection,
    describe: {
      name: options.name,
      engines: [engine.name, crashWorkOf(engine.name)],
      slots: options.slots,
      labels: { arch: arch(), os: platform(), ...options.labels },
      memoryMib: perSlot(totalmem()),
      diskMib: perSlot(machine.resources.diskFreeBytes),
      version,
    },
    instanceId: newId(),
    work: slots,
    resources: () => machine.resources,
    health: () => health.report,
    onWelcome: () => spool.nudge(),
    log,
  });
  late.link = link;
  const sent = sendSpool(spool, connection, { log, signal });
  const linked = link.run(signal);
  lifecycle.own('stream and uploads', async () => {
    working.abort(new Error('the bot is shutting down'));
    await Promise.allSettled([linked, sent]);
  });
  log.info({ name: options.name, slots: options.slots, workDir: folder.path }, 'bot started');
  return new Agent(slots, link, lifecycle, linked);
}

type RunContext = Omit<ConstructorParameters<typeof Run>[2], 'engine'> & { engine: Engine };

function begin(
  assignment: Assignment & { lease: Lease },
  botId: string,
  parts: RunContext,
): Run | Refusal {
  const { spec, earlier } = assignment;
  // Calls name the bot: what is found under another bot's lease is not taken for its own.
  const lease: Lease = { ...assignment.lease, ...(botId && { botId }) };
  if (!isId(lease.jobId)) return { refused: 'the job has no proper id' };
  if (!spec) return { refused: 'the assignment has no spec' };
  if (spec.engine !== parts.engine.name) {
    return { refused: 'this bot does not have that engine', trouble: StartTrouble.MACHINE };
  }
  if (spec.kind !== JobKind.UNSPECIFIED && !parts.engine.kinds.has(spec.kind)) {
    return { refused: `this bot cannot do jobs of this kind with ${spec.engine}` };
  }
  const log = parts.log.child({ jobId: lease.jobId, attempt: lease.attempt, fence: lease.fence });
  log.info({ target: spec.targetName, job: spec.name }, 'job taken');
  return new Run(lease, spec, { ...parts, log, knownInputs: earlier?.crashInputs ?? [] });
}

/** What works less well than it could, for people. */
function missingTools(tools: SandboxTools, symbolizer: string | undefined): string[] {
  const isBounded = tools.setpriv && tools.prlimit;
  return [
    ...(isBounded
      ? []
      : [
          'setpriv or prlimit is missing (Debian: util-linux): engines may outlive a bot that is killed, and leave core dumps',
        ]),
    ...(symbolizer
      ? []
      : ['llvm-symbolizer is missing (Debian: llvm): stacks will show offsets instead of names']),
  ];
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
