import { isTurnOpen } from '../../src/core/turn-batch.js';
import type { State } from '../../src/state/state.js';
import { putArtifact } from '../../src/store/ops/corpus/put-artifact.js';
import { Audit } from './audit.js';
import type { BotProcess } from './bot.js';
import { Calm } from './calm.js';
import { Disk, type Tamper } from './disk.js';
import { happen, startBot } from './faults.js';
import { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import { Master } from './master.js';
import { Operator, target } from './operator.js';
import { type Plan, type Step, stepsForMs } from './plan.js';
import { Puller } from './puller.js';
import { Random } from './random.js';
import { Timeline } from './timeline.js';
import { Weather } from './weather.js';

/** A fault that is planted, so that the simulation has to find it. */
export interface Plant {
  readonly tamper?: Tamper;
  /** Changes each new master. */
  readonly master?: (state: State) => void;
  /** Changes the disk as the master is killed. */
  readonly killed?: (disk: Disk) => void;
}

export interface Violation {
  /** Which promise is broken. */
  readonly kind: string;
  readonly what: string;
  /** Virtual ms, and number of the event. */
  readonly at: number;
  readonly event: number;
}

export interface Outcome {
  readonly plan: Plan;
  readonly events: number;
  readonly virtualMs: number;
  readonly hash: string;
  readonly violation: Violation | undefined;
  /** The last events. */
  readonly recent: readonly string[];
  readonly figures: { jobs: number; results: number; crashes: number; calmLooks: number };
}

/** Once everything is healed, all jobs are over within this, virtual ms. */
const endsWithinMs = 120_000;
const stopsWithinMs = 60_000;
/** Events between two looks at everything that was confirmed. */
const confirmEvery = 300;
const operatorKinds = new Set<string>([
  'create',
  'cancel',
  'pause',
  'resume',
  'retry',
  'campaign',
  'drain',
  'undrain',
  'forget',
]);

/** A master, its disk, its bots and operators, and all that happens to them. */
export class World {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly weather: Weather;
  readonly disk: Disk;
  readonly ledger = new Ledger(this);
  readonly machines: Machine[] = [];
  readonly clones = new Set<BotProcess>();
  readonly operator: Operator;
  readonly #audit: Audit;
  readonly #calm: Calm;
  master: Master | undefined;
  /** No fault happens any more. */
  isHealed = false;
  #ids = 0;
  #violation: Violation | undefined;

  constructor(
    private readonly plan: Plan,
    readonly plant?: Plant,
    print?: (line: string) => void,
  ) {
    this.timeline = new Timeline(print);
    this.random = new Random(plan.seed);
    this.weather = new Weather(this.timeline, this.random.fork('weather'));
    this.disk = new Disk(plant?.tamper);
    this.operator = new Operator(this);
    this.#audit = new Audit(this);
    this.#calm = new Calm(this, this.disk.db);
    this.disk.run('write', [{ operation: putArtifact.name, input: target }]);
  }

  /** In the order of their making, as UUIDv7s are. */
  newId(): string {
    return `00000000-0000-7000-8000-${(++this.#ids).toString(16).padStart(12, '0')}`;
  }

  /** Only the first one counts: what follows may follow from it. */
  violated(kind: string, what: string): void {
    const { now: at, events: event } = this.timeline;
    this.#violation ??= { kind, what, at, event };
  }

  /** When the master's process is not stopped. */
  whenAwake(work: () => void): void {
    const until = this.master?.frozenUntil ?? 0;
    const { now } = this.timeline;
    if (until <= now) work();
    else this.timeline.after(until - now, 'master: awake', () => this.whenAwake(work));
  }

  killMaster(): void {
    const { master } = this;
    if (!master) return;
    master.kill();
    this.plant?.killed?.(this.disk);
    this.startLater();
  }

  restartMaster(): void {
    const { master } = this;
    if (!master) return;
    const late = this.timeline.after(stopsWithinMs, 'master: has not stopped', () => {
      if (this.master === master) this.violated('stop', 'the master did not stop');
    });
    void master.stop().then(() => {
      late.cancel();
      if (this.master === master) this.startLater();
    });
  }

  startLater(): void {
    this.master = undefined;
    const delayMs = this.isHealed ? 50 : this.random.between(50, 2500);
    this.timeline.after(delayMs, 'master: starts', () => {
      this.master ??= new Master(this);
    });
  }

  async run(): Promise<Outcome> {
    try {
      this.#begin();
      await this.#until(() => this.timeline.now >= stepsForMs);
      this.#heal();
      const limit = this.timeline.now + endsWithinMs;
      await this.#until(() => this.#isAllOver() || this.timeline.now > limit);
      await this.#end();
      return this.#outcome();
    } finally {
      this.disk.close();
    }
  }

  #begin(): void {
    this.master = new Master(this);
    const count = this.random.whole(2, 4);
    for (let number = 1; number <= count; number++) {
      const name = `bot${number}`;
      const machine: Machine = {
        name,
        identity: this.newId(),
        slots: this.random.whole(1, 3),
        labels: number === 1 ? { disk: 'ssd' } : {},
        random: this.random.fork(name),
        spool: [],
        botIds: new Set(),
        processes: 0,
        process: undefined,
      };
      this.machines.push(machine);
      startBot(this, machine, this.random.between(0, 300));
    }
    if (this.random.chance(0.5)) new Puller(this);
    for (const step of this.plan.steps) {
      this.timeline.after(step.at, `step ${step.index}: ${step.kind}`, () => this.#do(step));
    }
  }

  #do(step: Step): void {
    const random = this.random.fork(`step ${step.index}`);
    if (operatorKinds.has(step.kind)) this.operator.do(step, random);
    else happen(this, step, random);
  }

  #heal(): void {
    this.isHealed = true;
    this.weather.clear();
    this.timeline.note('everything is healed');
    for (const clone of this.clones) clone.kill();
    for (const machine of this.machines) {
      machine.process?.kill();
      startBot(this, machine, 100);
    }
    this.operator.heal();
  }

  #isAllOver(): boolean {
    return this.operator.isIdle && this.#audit.unfinished().length === 0;
  }

  async #until(isOver: () => boolean): Promise<void> {
    for (let isAsked = 0; !this.#violation; isAsked++) {
      if (isAsked % 50 === 0 && isOver()) return;
      if (!this.#step()) return;
      await settled();
      this.#audit.look();
      await this.#calm.look();
      if (this.timeline.events % confirmEvery === 0) this.#audit.confirmed();
    }
  }

  #step(): boolean {
    try {
      return this.timeline.step();
    } catch (error) {
      this.violated('internal error', error instanceof Error ? `${error.stack}` : String(error));
      return true;
    }
  }

  async #end(): Promise<void> {
    if (this.#violation) return;
    this.#audit.confirmed();
    const [left, ...others] = this.#audit.unfinished();
    if (!left) return;
    const reasons = await this.#calm.explain(left.id);
    const more = others.length > 0 ? `, and ${others.length} others` : '';
    this.violated('liveness', `${left.id} is ${left.state}: ${reasons.join('; ')}${more}`);
  }

  #outcome(): Outcome {
    const { timeline, ledger, plan } = this;
    return {
      plan,
      events: timeline.events,
      virtualMs: timeline.now,
      hash: timeline.hash,
      violation: this.#violation,
      recent: timeline.recent,
      figures: {
        jobs: ledger.jobs.size,
        results: ledger.receipts.size,
        crashes: ledger.crashes.size,
        calmLooks: this.#calm.looks,
      },
    };
  }
}

/** Everything that an event has set off at once is over. */
async function settled(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (isTurnOpen());
}
