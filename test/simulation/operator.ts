import { NotFoundError } from '../../src/core/errors.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { ArtifactRow } from '../../src/store/rows.js';
import { type Caller, call, Unanswered, type Work } from './calls.js';
import type { Step } from './plan.js';
import type { Random } from './random.js';
import type { World } from './world.js';

export const target: ArtifactRow = {
  sha256: 'a'.repeat(64),
  kind: 'target',
  name: 'demo',
  size_bytes: 1,
  created_at: 1,
};
const campaigns = ['a', 'b', 'c'];
type Wish = 'cancel' | 'pause' | 'resume' | 'retry';

/** People and programs that make jobs and have wishes; each repeats a call until it is answered. */
export class Operator implements Caller {
  isOver = false;
  frozenUntil = 0;
  readonly name = 'operator';
  readonly random: Random;
  /** Jobs that were confirmed, the oldest first. */
  readonly #jobs: string[] = [];
  /** Calls that are being repeated. */
  #open = 0;

  constructor(private readonly world: World) {
    this.random = world.random.fork('operator');
  }

  get isIdle(): boolean {
    return this.#open === 0;
  }

  do(step: Step, random: Random): void {
    const { kind } = step;
    const bot = random.pick(this.world.machines);
    const botId = random.pick([...bot.botIds]);
    if (kind === 'create') void this.#create(random);
    else if (kind === 'campaign') void this.#campaign(random);
    else if (kind === 'drain' || kind === 'undrain') {
      if (botId) void this.#drain(botId, kind === 'drain');
    } else if (kind === 'forget') {
      if (botId) void this.#until(kind, (state, ctx) => state.bots.forget(ctx, botId));
    } else {
      const jobId = random.pick(this.#jobs);
      if (jobId) void this.#wish(kind as Wish, jobId);
    }
  }

  /** Takes back all that keeps jobs from running; a few times, as earlier wishes may still arrive. */
  heal(times = 4): void {
    if (times > 1)
      this.world.timeline.after(4000, 'operator: heals again', () => this.heal(times - 1));
    for (const key of campaigns) {
      const terms = { key, weight: 1, maxParallel: 0 };
      void this.#until('campaign', (state, ctx) => state.campaigns.set(ctx, terms));
    }
    for (const { botIds } of this.world.machines)
      for (const botId of botIds) void this.#drain(botId, false);
    for (const jobId of this.#jobs) void this.#wish('resume', jobId);
  }

  async #create(random: Random): Promise<void> {
    const { world } = this;
    const requestId = world.newId();
    const spec = JobSpec.fromPartial({
      engine: 'libfuzzer',
      targetSha256: target.sha256,
      priority: random.whole(0, 2),
      campaign: random.pick(campaigns),
      maxAttempts: random.whole(1, 4),
      ...(random.chance(0.2) && { requirements: { labels: { disk: 'ssd' } } }),
      ...(random.chance(0.2) && {
        timeouts: {
          scheduleToStartSeconds: random.chance(0.5) ? random.whole(2, 20) : 0,
          startToCloseSeconds: random.chance(0.5) ? random.whole(1, 5) : 0,
          scheduleToCloseSeconds: random.chance(0.5) ? random.whole(5, 30) : 0,
        },
      }),
      ...(random.chance(0.2) && { limits: { maxDurationSeconds: random.whole(1, 5) } }),
    });
    const request = { spec, requestId };
    const job = await this.#until('create', (state, ctx) => state.jobs.create(ctx, request));
    if (!job) return;
    world.ledger.created(requestId, job.id);
    this.#jobs.push(job.id);
  }

  async #wish(wish: Wish, jobId: string): Promise<void> {
    const { ledger } = this.world;
    if (wish === 'retry') ledger.reviving(jobId);
    const done = await this.#until(wish, (state, ctx) => state.jobs[wish](ctx, jobId));
    if (done && wish === 'cancel') ledger.cancelled(jobId);
  }

  async #drain(botId: string, isWanted: boolean): Promise<void> {
    await this.#until('drain', (state, ctx) => state.bots.drain(ctx, botId, isWanted));
  }

  async #campaign(random: Random): Promise<void> {
    const terms = {
      key: random.pick(campaigns),
      weight: random.whole(1, 5),
      maxParallel: random.chance(0.4) ? 0 : random.whole(1, 3),
    };
    await this.#until('campaign', (state, ctx) => state.campaigns.set(ctx, terms));
  }

  /** @returns undefined for a call that was refused */
  async #until<Answer>(name: string, work: Work<Answer>): Promise<Answer | undefined> {
    const { world, random } = this;
    this.#open++;
    try {
      for (;;) {
        try {
          return await call(world, this, { name, timeoutMs: 3000, work });
        } catch (error) {
          if (!(error instanceof Unanswered)) {
            if (name === 'create' && !(error instanceof NotFoundError))
              world.violated('job refused', String(error));
            return undefined;
          }
        }
        const pauseMs = random.between(50, 800);
        await new Promise<void>((resolve) =>
          world.timeline.after(pauseMs, `operator: repeats ${name}`, resolve, this),
        );
      }
    } finally {
      this.#open--;
    }
  }
}
