import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../../src/client/connect.js';
import { type CorpusInput, corpusInput, pullCorpus, pushCorpus } from '../../src/client/corpus.js';
import { reportCrash } from '../../src/client/transfer.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { temporaryFolder } from '../harness.js';

export const targetName = 'kept';

/** Small inputs, which lie in a pack, and one that is a file of its own. */
export const inputs = (count: number): CorpusInput[] =>
  [...Array.from({ length: count }, () => 40), 100_000].map((size) =>
    corpusInput(randomBytes(size)),
  );

export const push = (connection: Connection, lease: Lease, some: readonly CorpusInput[]) =>
  pushCorpus(connection, lease, some);

/** Names of the inputs of the corpus whose bytes came whole. */
export async function inputsOf(connection: Connection): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { sha256, bytes } of pullCorpus(connection, { targetName })) {
    if (corpusInput(bytes).sha256 === sha256) names.add(sha256);
  }
  return names;
}

export async function crash(connection: Connection, lease: Lease): Promise<CorpusInput> {
  const input = corpusInput(randomBytes(90_000));
  const path = join(temporaryFolder(), 'crash');
  writeFileSync(path, input.bytes);
  const account = { lease, inputSha256: input.sha256, inputSizeBytes: input.bytes.length };
  await reportCrash(connection, account, path);
  return input;
}
