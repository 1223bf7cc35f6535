import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readCrashReport } from '../../crash/report.js';
import { crashSignature } from '../../crash/signature.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Spool } from './spool.js';

/** More inputs for the same stack teach nobody anything. */
const uploadsPerSignature = 3;

export interface Collected {
  /** Crashing inputs found, known ones included. */
  readonly inputs: readonly Buffer[];
  /** How many of them go to the master. */
  readonly kept: number;
}

/** The crashes of one attempt: which of them are worth sending. */
export class Findings {
  readonly #inputs = new Set<string>();
  readonly #bySignature = new Map<string, number>();

  constructor(
    private readonly lease: Lease,
    private readonly spool: Spool,
  ) {}

  /** Distinct crashing inputs seen, those not worth sending included. */
  get distinct(): number {
    return this.#inputs.size;
  }

  /**
   * Moves what lies in the artifacts folder to the spool, or away: a crash is
   * in one of the two at every moment.
   *
   * @param report what the engine printed about it
   */
  async collect(
    folder: string,
    report: string,
    isCrash: (fileName: string) => boolean,
  ): Promise<Collected> {
    const inputs: Buffer[] = [];
    let kept = 0;
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name);
      if (isCrash(name)) {
        const input = await readFile(path);
        inputs.push(input);
        if (this.#isWanted(input, report)) {
          await this.spool.add(this.lease, path, report);
          kept += 1;
        }
      }
      await rm(path, { recursive: true, force: true });
    }
    return { inputs, kept };
  }

  #isWanted(input: Buffer, report: string): boolean {
    const hash = createHash('sha256').update(input).digest('base64');
    if (this.#inputs.has(hash)) return false;
    this.#inputs.add(hash);
    const signature = crashSignature(readCrashReport(report));
    const count = this.#bySignature.get(signature) ?? 0;
    if (count >= uploadsPerSignature) return false;
    this.#bySignature.set(signature, count + 1);
    return true;
  }
}
