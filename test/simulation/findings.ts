import { createHash } from 'node:crypto';
import { CrashReport } from '../../src/gen/pandafuzz/v1/crash_service.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { type Caller, call, Unanswered } from './calls.js';
import type { World } from './world.js';

/** A crash on a bot's disk. */
export interface Finding {
  readonly lease: Lease;
  readonly input: Buffer;
  readonly sha256: string;
  readonly bug: string;
}

const pauseMs = 400;

/** Sends what is in the spool, one after the other, until the master has confirmed it. */
export class Findings {
  #isSending = false;

  constructor(
    private readonly world: World,
    private readonly process: Caller,
    private readonly spool: Finding[],
  ) {}

  found(lease: Lease, text: string, bug: string): void {
    const input = Buffer.from(text);
    const sha256 = createHash('sha256').update(input).digest('hex');
    this.spool.push({ lease, input, sha256, bug });
    this.send();
  }

  send(): void {
    if (this.#isSending || this.spool.length === 0) return;
    this.#isSending = true;
    void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const { timeline, ledger } = this.world;
    for (let next = this.spool[0]; next; next = this.spool[0]) {
      try {
        const answer = await this.#report(next);
        ledger.crashConfirmed(next, answer);
        this.spool.shift();
      } catch (error) {
        if (error instanceof Unanswered) {
          await new Promise<void>((resolve) =>
            timeline.after(pauseMs, `${this.process.name}: spool`, resolve, this.process),
          );
        } else {
          this.world.violated('crash refused', `${next.sha256.slice(0, 8)}: ${error}`);
          this.spool.shift();
        }
      }
    }
    this.#isSending = false;
  }

  #report({ lease, input, sha256, bug }: Finding) {
    const report = CrashReport.create({
      lease,
      inputSha256: sha256,
      inputSizeBytes: input.length,
      report: reportOf(bug),
      hits: 1,
    });
    return call(this.world, this.process, {
      name: 'crash',
      timeoutMs: 4000,
      work: (state, ctx) => state.crashes.report(ctx, report, chunksOf(input)),
    });
  }
}

const reportOf = (bug: string) => `==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1
READ of size 4 at 0x1 thread T0
    #0 0x1 in ${bug} /src/${bug}.c:3:5
    #1 0x2 in LLVMFuzzerTestOneInput /src/fuzz.c:9:1
`;

async function* chunksOf(input: Buffer): AsyncGenerator<Uint8Array> {
  yield input;
}
