import { newId } from '../../../src/core/ids.js';
import type { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { ScriptedBot } from '../../scripted-bot.js';
import { registerBot } from '../../steps.js';
import { type History, Refused } from '../history/history.js';
import type { LeaseName } from '../history/operation.js';
import type { Setting } from './operator.js';
import { Run } from './run.js';
import { pause, stopwatch, within } from './times.js';

export const slots = 2;
const outcomes: readonly string[] = ['', 'completed', 'failed', 'cancelled', 'infrastructure'];

export const leaseName = ({ jobId, attempt, fence }: Lease): LeaseName => ({
  jobId,
  attempt,
  fence,
});
const keyOf = ({ jobId, fence }: LeaseName) => `${jobId}/${fence}`;

/**
 * A bot that follows the protocol: it holds leases over lost streams and masters, renews
 * them, repeats its results until they are answered, and gives up what the master says is lost.
 */
export class LoadBot {
  readonly held = new Map<string, Run>();
  /** Time of each answered beat, milliseconds. */
  readonly beatMs: number[] = [];
  /** Others' faults: while true, nothing is sent. */
  isFrozen = false;
  readonly #instance = newId();
  #id = '';
  #stream: ScriptedBot | undefined;

  constructor(
    readonly setting: Setting,
    readonly intervalMs: number,
  ) {}

  get id(): string {
    return this.#id;
  }

  get history(): History {
    return this.setting.history;
  }

  async work(): Promise<void> {
    const { giveUp, connection, name, over } = this.setting;
    while (!giveUp.aborted && !(over.aborted && this.held.size === 0)) {
      try {
        if (this.#id === '') this.#id = (await registerBot(connection, name, { slots })).id;
        await this.#session();
      } catch {
        // the line or the master is gone: once more
        this.#stream?.leave();
        connection.renew();
        await pause(100, giveUp);
      }
    }
    this.#stream?.leave();
    await Promise.all([...this.held.values()].map((run) => run.ended));
  }

  /** Sends a result on the stream of the moment. */
  async done(lease: Lease, outcome: JobOutcome): Promise<void> {
    const stream = this.#stream;
    if (!stream) throw new Error('no stream');
    const request = {
      botId: this.#id,
      lease: leaseName(lease),
      outcome: outcomes[outcome] ?? '',
    };
    const ask = async () => {
      const { outcome: answer } = await within(
        this.setting.timeoutMs,
        'JobDoneAck',
        stream.done(lease, outcome),
      );
      if (answer?.$case === 'receipt') return answer.value;
      const { reason, message } = answer?.value ?? { reason: '', message: '' };
      if (reason === 'UNAVAILABLE') throw new Error(message);
      throw new Refused(`${reason} ${message}`);
    };
    await this.history.record(this.setting.name, 'done', request, ask, ({ state }) => ({ state }));
  }

  async #session(): Promise<void> {
    const { connection, name, timeoutMs, giveUp, over, chance } = this.setting;
    const stream = new ScriptedBot(connection, this.#id, this.#instance);
    this.#stream = stream;
    const leases = [...this.held.values()].map((run) => run.lease);
    const request = { botId: this.#id, leases: leases.map(leaseName) };
    await this.history
      .record(
        name,
        'hello',
        request,
        () => within(timeoutMs, 'Welcome', stream.hello(slots - leases.length, leases)),
        (welcome) => ({
          kept: welcome.leases.flatMap(({ keep, lease }) =>
            keep && lease ? [leaseName(lease)] : [],
          ),
        }),
      )
      .then((welcome) => {
        for (const { keep, lease } of welcome.leases) if (!keep && lease) this.#drop(lease);
      });
    const taking = this.#take(stream).catch(() => {}); // its end is that of the stream
    while (!giveUp.aborted && !(over.aborted && this.held.size === 0)) {
      if (!this.isFrozen) await this.#beat(stream);
      await Promise.race([
        pause(this.intervalMs / 2 + chance.below(this.intervalMs / 2), over),
        taking,
      ]);
      if (over.aborted) await pause(20, giveUp);
    }
    stream.leave();
    await taking;
  }

  async #beat(stream: ScriptedBot): Promise<void> {
    const { name, timeoutMs, over } = this.setting;
    const leases = [...this.held.values()].map((run) => run.lease);
    const free = over.aborted ? 0 : slots - leases.length;
    const request = { botId: this.#id, leases: leases.map(leaseName) };
    const took = stopwatch();
    const ack = await this.history.record(
      name,
      'beat',
      request,
      () => within(timeoutMs, 'BeatAck', stream.beat(free, leases)),
      (answer) => ({
        leases: answer.leases.flatMap(({ lease, remainingTtlMs }) =>
          lease ? [{ ...leaseName(lease), remainingMs: remainingTtlMs }] : [],
        ),
      }),
    );
    this.beatMs.push(took());
    for (const { lease, remainingTtlMs, cancelRequested } of ack.leases) {
      if (!lease) continue;
      if (remainingTtlMs === 0) this.#drop(lease);
      else if (cancelRequested) this.held.get(keyOf(lease))?.cancel();
    }
  }

  async #take(stream: ScriptedBot): Promise<void> {
    for (;;) {
      const lease = await stream.take();
      const { name } = this.setting;
      this.history.note(name, 'take', { botId: this.#id }, leaseName(lease));
      if (this.held.has(keyOf(lease))) continue; // offered again, as the acknowledgement was lost
      const run = new Run(this, lease);
      this.held.set(keyOf(lease), run);
      run.ended.then(() => this.held.delete(keyOf(lease)));
    }
  }

  #drop(lease: Lease): void {
    this.held.get(keyOf(lease))?.lose();
  }
}
