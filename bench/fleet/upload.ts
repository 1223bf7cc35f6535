import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unary } from '../../src/client/call.js';
import { type Connection, connect } from '../../src/client/connect.js';
import { reportCrash } from '../../src/client/transfer.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import type { Bench } from '../bench.js';
import type { ServerProcess } from '../processes.js';

const inputBytes = 10 * 2 ** 20;
const dayMs = 86_400_000;

const report = `==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000015
    #0 0x55e0 in parse_header /src/target/header.c:42:13
    #1 0x55f0 in parse /src/target/parse.c:17:3
    #2 0x5600 in LLVMFuzzerTestOneInput /src/target/fuzz.c:9:3
`;

/** Crashes with large inputs, one after the other, under a lease of their own. */
export class Upload {
  private constructor(
    private readonly lease: Lease | undefined,
    private readonly folder: string,
    private readonly inputs: number,
  ) {}

  /** There has to be a job that waits; the bot pulls it. */
  static async prepare(
    { jobs }: Connection,
    botId: string,
    { folder, scale }: Bench,
  ): Promise<Upload> {
    const request = { botId, waitMs: 5000, leaseTtlMs: dayMs };
    const { assignment } = await unary(jobs, jobs.assignJob, request);
    return new Upload(assignment?.lease, folder(), scale < 1 ? 1 : 5);
  }

  async mibPerSecond({ address }: ServerProcess): Promise<number> {
    const connection = connect(address);
    let tookMs = 0;
    for (let i = 0; i < this.inputs; i++) {
      const input = randomBytes(inputBytes); // new to whoever keeps inputs by their content
      const path = join(this.folder, 'input');
      writeFileSync(path, input);
      const inputSha256 = createHash('sha256').update(input).digest('hex');
      const crash = { lease: this.lease, inputSha256, inputSizeBytes: inputBytes, report };
      const startedAt = performance.now();
      await reportCrash(connection, crash, path);
      tookMs += performance.now() - startedAt;
    }
    connection.close();
    return ((this.inputs * inputBytes) / 2 ** 20 / tookMs) * 1000;
  }
}
