import { status as Code } from '@grpc/grpc-js';
import { corpusInput, pushCorpus } from '../../../src/client/corpus.js';
import { failureOf } from '../../../src/client/failure.js';
import { reportCrash } from '../../../src/client/transfer.js';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { Refused } from '../history/history.js';
import { type LoadBot, leaseName } from './bot.js';
import { pause } from './times.js';

const report = (place: number) =>
  `==1==ERROR: AddressSanitizer: SEGV on unknown address 0x0\n    #0 0x1 in bug_${place} /t.c:${place}:1\n`;

/** Attempts of one finding; a load without faults needs one. */
const pauseMs = 50;

/** One attempt: it finds something, sends it until it is acknowledged, and then its result. */
export class Run {
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  #isLost = false;
  #isCancelled = false;

  constructor(
    private readonly bot: LoadBot,
    readonly lease: Lease,
  ) {
    this.ended = this.#work();
  }

  /** The lease is no longer its bot's: what was found is still sent, the result is not. */
  lose(): void {
    this.#isLost = true;
    this.#stop.abort();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#stop.abort();
  }

  async #work(): Promise<void> {
    const { chance, giveUp, runMs } = this.bot.setting;
    await pause(runMs / 2 + chance.below(runMs / 2), this.#stop.signal);
    if (chance.is(0.3)) await this.#push();
    if (chance.is(0.3)) await this.#crash();
    const drawn = chance.next();
    const ended = drawn < 0.7 ? JobOutcome.COMPLETED : JobOutcome.FAILED;
    const outcome = drawn < 0.9 ? ended : JobOutcome.INFRASTRUCTURE;
    while (!this.#isLost && !giveUp.aborted) {
      try {
        const last = this.#isCancelled ? JobOutcome.CANCELLED : outcome;
        await this.bot.done(this.lease, last);
        return;
      } catch (error) {
        if (error instanceof Refused) return;
        await pause(pauseMs, giveUp);
      }
    }
  }

  async #push(): Promise<void> {
    const { connection, history, name, chance, giveUp: signal, timeoutMs } = this.bot.setting;
    const inputs = Array.from({ length: 1 + chance.below(8) }, () =>
      corpusInput(chance.bytes(20 + chance.below(chance.is(0.05) ? 100_000 : 500))),
    );
    const request = {
      lease: leaseName(this.lease),
      sha256s: inputs.map(({ sha256 }) => sha256),
    };
    const options = { signal, stallMs: timeoutMs };
    await this.#persist(() =>
      history.record(
        name,
        'push',
        request,
        () => pushCorpus(connection, this.lease, inputs, options),
        ({ added }) => ({ added }),
      ),
    );
  }

  async #crash(): Promise<void> {
    const { connection, history, name, chance, giveUp: signal, timeoutMs } = this.bot.setting;
    const { sha256, bytes } = corpusInput(chance.bytes(10 + chance.below(200)));
    const account = {
      lease: this.lease,
      inputSha256: sha256,
      inputSizeBytes: bytes.length,
      report: report(chance.below(5)),
    };
    const options = { signal, stallMs: timeoutMs };
    await this.#persist(() =>
      history.record(
        name,
        'crash',
        { lease: leaseName(this.lease), sha256 },
        () => reportCrash(connection, account, bytes, options),
        ({ crashId }) => ({ crashId }),
      ),
    );
  }

  /** Repeats until it is acknowledged or refused for good. */
  async #persist(send: () => Promise<unknown>): Promise<void> {
    const { giveUp } = this.bot.setting;
    while (!giveUp.aborted) {
      try {
        await send();
        return;
      } catch (error) {
        const failure = failureOf(error);
        if (failure?.code === Code.INVALID_ARGUMENT) throw error;
        if (failure?.reason && failure.retryAfterMs === undefined && isFinal(failure.reason))
          return;
        await pause(failure?.retryAfterMs ?? pauseMs, giveUp);
      }
    }
  }
}

const isFinal = (reason: string) => ['STALE_LEASE', 'NOT_FOUND'].includes(reason);
