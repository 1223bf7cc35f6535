import type { Answer, SessionWork } from '../../src/bot/line/session.js';
import type { LeaseStatus } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { type JobDone, type JobDoneAck, LeasePhase } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import {
  JobOutcome,
  type JobResult,
  JobStatistics,
  StartTrouble,
} from '../../src/gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import type { BotProcess } from './bot.js';
import type { Findings } from './findings.js';
import type { World } from './world.js';

interface Run {
  readonly lease: Lease;
  phase: LeasePhase;
  executions: number;
  /** It does not stop when it is told to. */
  readonly isStubborn: boolean;
  isStopping: boolean;
  result: JobResult | undefined;
}

export const keyOf = ({ jobId, fence }: Pick<Lease, 'jobId' | 'fence'>) => `${jobId}/${fence}`;

/** The runs of one process of a bot: they take time, find crashes, and end in some way. */
export class Runs implements SessionWork {
  readonly #taken = new Map<string, Run>();

  constructor(
    private readonly world: World,
    private readonly process: BotProcess,
    private readonly findings: Findings,
    private readonly on: { told: (done: JobDone) => void; changed: () => void },
  ) {}

  get free(): number {
    return Math.max(this.process.machine.slots - this.#taken.size, 0);
  }

  get leases(): Lease[] {
    return [...this.#taken.values()].map(({ lease }) => ({ ...lease }));
  }

  get statuses(): LeaseStatus[] {
    return [...this.#taken.values()].map((run) => {
      const { lease, phase } = run;
      if (phase === LeasePhase.FUZZING) run.executions += 10;
      return { lease: { ...lease }, phase, statistics: this.#statistics(run) };
    });
  }

  get done(): JobDone[] {
    return [...this.#taken.values()].flatMap((run) => (run.result ? [this.#doneOf(run)] : []));
  }

  has(lease: Lease): boolean {
    return this.#taken.has(keyOf(lease));
  }

  assign(assignment: Assignment): Answer {
    const { world } = this;
    const { name, random } = this.process;
    const lease = assignment.lease as Lease;
    const isThere = this.#taken.has(keyOf(lease));
    if (isThere) world.violated('given twice', `${name} got ${keyOf(lease)} a second time`);
    if (this.free === 0) {
      // An offer that lapsed on its way may leave a slot that the master takes for free.
      if (world.weather.isCalm) world.violated('slots', `${name} has no slot for ${keyOf(lease)}`);
      return 'not now';
    }
    if (!world.isHealed && random.chance(0.04)) return { refused: 'this job is wrong' };
    if (!world.isHealed && random.chance(0.04)) {
      return { refused: 'no compiler', trouble: StartTrouble.MACHINE };
    }
    this.#begin(lease);
    return 'taken';
  }

  cancel(lease: Lease): void {
    const run = this.#taken.get(keyOf(lease));
    if (!run || run.isStopping || run.result || run.isStubborn) return;
    run.isStopping = true;
    this.#in(this.process.random.between(0, 800), run, 'stops', () =>
      this.#end(run, { outcome: JobOutcome.CANCELLED, message: 'stopped' }),
    );
  }

  abandon(lease: Lease): void {
    this.#taken.delete(keyOf(lease));
  }

  settle(lease: Lease, outcome: NonNullable<JobDoneAck['outcome']>): void {
    const run = this.#taken.get(keyOf(lease));
    this.#taken.delete(keyOf(lease));
    if (run?.result && outcome.$case === 'receipt') {
      this.world.ledger.receipt(lease, run.result, outcome.value.state);
    }
  }

  #begin(lease: Lease): void {
    const { world } = this;
    const { random } = this.process;
    const isStubborn = !world.isHealed && random.chance(0.03);
    const run: Run = {
      lease,
      phase: LeasePhase.PREPARING,
      executions: 0,
      isStubborn,
      isStopping: false,
      result: undefined,
    };
    this.#taken.set(keyOf(lease), run);
    const prepareMs = random.between(0, world.isHealed ? 50 : 600);
    this.#in(prepareMs, run, 'fuzzes', () => {
      run.phase = LeasePhase.FUZZING;
      this.on.changed();
    });
    const runMs = random.between(50, world.isHealed ? 400 : 6000);
    for (let crashes = random.whole(-2, 2); crashes > 0; crashes--) {
      const bug = `bug_${random.whole(1, 3)}`;
      const text = `${lease.jobId} ${bug} ${random.whole(1, 4)}`;
      this.#in(prepareMs + random.between(0, runMs), run, 'finds a crash', () =>
        this.findings.found(lease, text, bug),
      );
    }
    // Some never end by themselves.
    if (isStubborn || (!world.isHealed && random.chance(0.05))) return;
    this.#in(prepareMs + runMs, run, 'ends', () => this.#end(run, this.#outcome()));
  }

  #outcome(): Pick<JobResult, 'outcome' | 'message' | 'trouble' | 'cause'> {
    const { random, name } = this.process;
    const drawn = this.world.isHealed ? 0 : random.next();
    if (drawn < 0.7) return { outcome: JobOutcome.COMPLETED, message: 'fine' };
    if (drawn < 0.85) return { outcome: JobOutcome.FAILED, message: 'it failed' };
    if (drawn < 0.9) return { outcome: JobOutcome.CANCELLED, message: 'stopped unasked' };
    if (drawn < 0.94) return { outcome: JobOutcome.INFRASTRUCTURE, message: 'trouble' };
    const told = { outcome: JobOutcome.INFRASTRUCTURE, message: 'it lacks something' };
    return { ...told, trouble: StartTrouble.MISSING, cause: `of ${name}` };
  }

  #end(run: Run, end: Pick<JobResult, 'outcome' | 'message' | 'trouble' | 'cause'>): void {
    if (run.result) return;
    run.phase = LeasePhase.FINISHING;
    run.result = { ...end, statistics: this.#statistics(run) };
    this.on.told(this.#doneOf(run));
  }

  #doneOf({ lease, result }: Run): JobDone {
    return { lease: { ...lease }, result, logTail: undefined } as JobDone;
  }

  #statistics({ executions }: Run): JobStatistics {
    return JobStatistics.create({ executions, executionsPerSecond: 10 });
  }

  /** Unless the run is gone by then. */
  #in(delayMs: number, run: Run, what: string, fire: () => void): void {
    const { timeline } = this.world;
    const label = `${this.process.name}: run ${what}`;
    const isThere = () => this.#taken.get(keyOf(run.lease)) === run;
    timeline.after(delayMs, label, () => isThere() && fire(), this.process);
  }
}
