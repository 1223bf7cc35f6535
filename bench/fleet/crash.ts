import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Connection } from '../../src/client/connect.js';
import { fingerprint, reportCrash } from '../../src/client/transfer.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';

/** Writes an input that is new to `path`, and sends it as a crash. @returns milliseconds that took */
export async function sendCrash(
  connection: Connection,
  lease: Lease | undefined,
  path: string,
  inputSizeBytes: number,
): Promise<number> {
  const input = randomBytes(inputSizeBytes);
  await writeFile(path, input);
  const { sha256: inputSha256 } = await fingerprint(path);
  const report = reportOf(input.readUInt8() % 32);
  const startedAt = performance.now();
  await reportCrash(connection, { lease, report, inputSha256, inputSizeBytes }, path);
  return performance.now() - startedAt;
}

/** In one of a few dozen places. */
const reportOf = (place: number) => `==1==ERROR: AddressSanitizer: heap-buffer-overflow
    #0 0x55e0 in parse_field_${place} /src/target/field.c:${place}:13
    #1 0x55f0 in parse /src/target/parse.c:17:3
    #2 0x5600 in LLVMFuzzerTestOneInput /src/target/fuzz.c:9:3
`;
