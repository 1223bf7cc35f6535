import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallLimits, unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { pullCorpus } from '../client/corpus.js';
import { UserError } from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { bytes, plain } from './format.js';
import { print } from './output.js';
import { withProgress } from './progress.js';
import { asking, type Flags } from './session.js';

/** `pandafuzz corpus …`. Prints the answer; throws UserErrors. */

const inputs = (count: number) => `${count} ${count === 1 ? 'input' : 'inputs'}`;

export function showCorpus(flags: Flags, targetName: string): Promise<void> {
  return asking(flags, async ({ corpora }, options) => {
    const size = await unary(corpora, corpora.getCorpusStats, { targetName, project: '' }, options);
    print(flags.json, {
      json: () => ({ targetName, ...size }),
      text: () => `${inputs(size.entries)}, ${bytes(size.bytes)}`,
    });
  });
}

export function fetchCorpus(flags: Flags & { output?: string }, targetName: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const folder = flags.output ?? `corpus-${targetName}`.replace(/[^A-Za-z0-9._-]/g, '_');
    const { added, total } = await downloadCorpus(connection, targetName, folder, options);
    print(flags.json, {
      json: () => ({ folder, inputs: total, added }),
      text: () => plain(`${folder}: ${inputs(total)}, ${added} of them new there`),
    });
  });
}

/**
 * Downloads a target's corpus into a folder, which is made if it is missing: one file for
 * each input, named by its SHA-256. Existing files stay as they are.
 *
 * @throws UserError for an empty corpus, and a folder that cannot be used
 */
async function downloadCorpus(
  connection: Connection,
  targetName: string,
  folder: string,
  options: Required<CallLimits>,
): Promise<{ added: number; total: number }> {
  const { corpora } = connection;
  const size = await unary(corpora, corpora.getCorpusStats, { targetName, project: '' }, options);
  if (size.entries === 0) {
    throw new UserError(
      `there is no corpus of ${targetName}: "pandafuzz job list" shows the targets' names`,
    );
  }
  await makeFolder(folder);
  const present = new Set(await readdir(folder));
  let [added, total, doneBytes] = [0, 0, 0];
  await withProgress('corpus', async (onProgress) => {
    const { signal } = options;
    for await (const input of pullCorpus(connection, { targetName }, { signal })) {
      total += 1;
      doneBytes += input.bytes.length;
      onProgress(doneBytes, size.bytes);
      if (present.has(input.sha256)) continue;
      const path = join(folder, input.sha256);
      await writeFile(`${path}.part`, input.bytes);
      await rename(`${path}.part`, path);
      added += 1;
    }
  });
  return { added, total };
}
