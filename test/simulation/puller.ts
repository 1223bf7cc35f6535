import { JobOutcome, type JobResult } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { type Caller, call, Unanswered, type Work } from './calls.js';
import type { World } from './world.js';

/** A bot without a stream: AssignJob and CompleteJob, again and again. */
export class Puller implements Caller {
  isOver = false;
  frozenUntil = 0;
  readonly name = 'puller';
  readonly random;
  #botId = '';

  constructor(private readonly world: World) {
    this.random = world.random.fork('puller');
    void this.#work();
  }

  async #work(): Promise<void> {
    for (;;) {
      try {
        await this.#pause(this.random.between(50, 900));
        if (!this.#botId) this.#botId = await this.#register();
        const lease = await this.#assign();
        if (lease) await this.#run(lease);
      } catch (error) {
        if (!(error instanceof Unanswered)) this.#botId = '';
      }
    }
  }

  async #run(lease: Lease): Promise<void> {
    const { random, world } = this;
    await this.#pause(random.between(50, world.isHealed ? 300 : 4500));
    if (!world.isHealed && random.chance(0.1)) return; // it forgets all about it
    const outcome = world.isHealed || random.chance(0.8) ? JobOutcome.COMPLETED : JobOutcome.FAILED;
    const result: JobResult = { outcome, message: 'pulled', statistics: undefined };
    for (;;) {
      try {
        const complete: Work<{ state: number }> = (state, ctx) =>
          state.jobs.complete(ctx, lease, result);
        const receipt = await this.#call('complete', complete);
        world.ledger.receipt(lease, result, receipt.state);
        return;
      } catch (error) {
        if (!(error instanceof Unanswered)) return;
        await this.#pause(300);
      }
    }
  }

  async #assign(): Promise<Lease | undefined> {
    const { random } = this;
    const wish = {
      botId: this.#botId,
      waitMs: random.chance(0.5) ? 0 : random.whole(1, 2500),
      leaseTtlMs: random.chance(0.5) ? 0 : random.whole(1000, 5000),
    };
    const assignment = await this.#call('assign', (state, ctx) => state.pull.assign(ctx, wish));
    if (!assignment?.lease) return undefined;
    this.world.ledger.given(this.name, assignment.lease);
    return assignment.lease;
  }

  async #register(): Promise<string> {
    const request = {
      name: this.name,
      engines: ['libfuzzer'],
      slots: 1,
      labels: {},
      version: '1',
      memoryMib: 0,
      diskMib: 0,
      engineDetails: [],
    };
    return (await this.#call('register', (state, ctx) => state.bots.register(ctx, request))).id;
  }

  #call<Answer>(name: string, work: Work<Answer>): Promise<Answer> {
    return call(this.world, this, { name, timeoutMs: 4000, work });
  }

  #pause(ms: number): Promise<void> {
    const { timeline } = this.world;
    return new Promise((resolve) => timeline.after(ms, 'puller: goes on', resolve, this));
  }
}
