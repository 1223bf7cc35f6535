import { createWriteStream } from 'node:fs';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Connection } from '../../client/connect.js';
import { type CorpusInput, pullCorpus } from '../../client/corpus.js';
import { codeOf, UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import type { Corpus } from '../../gen/pandafuzz/v1/corpus_service.js';
import { type TarFile, tarStream } from '../crashes/tar-stream.js';
import { plain } from '../format.js';
import { asJson, print } from '../output.js';
import { checkOutputFile, replaceFile } from '../output-file.js';
import { withProgress } from '../progress.js';
import { asking } from '../session.js';
import { type CorpusFlags, inputs, keyOf, titleOf } from './names.js';
import { corpusOf } from './show.js';

/** `pandafuzz corpus export`: into a folder, or an archive. */

export function exportCorpus(
  flags: CorpusFlags & { output?: string; force?: boolean },
  targetName: string,
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const key = keyOf(flags, targetName);
    const output = flags.output ?? `corpus-${targetName}`.replace(/[^A-Za-z0-9._-]/g, '_');
    const isArchive = /\.(?:tar\.gz|tgz)$/.test(output);
    if (isArchive) await checkOutputFile(output, flags.force ?? false);
    const corpus = await corpusOf(connection, key, options);
    if (corpus.entries === 0) throw new UserError(`the corpus of ${titleOf(key)} is empty`);
    const { total, added } = await withProgress('corpus', (onProgress) => {
      const all = eachInput(connection, corpus, options.signal, onProgress);
      return isArchive ? intoArchive(output, all) : intoFolder(output, all);
    });
    const news = isArchive ? '' : `, ${added} of them new there`;
    print(asJson(flags), {
      json: () => ({ [isArchive ? 'file' : 'folder']: output, inputs: total, added }),
      text: () => plain(`${output}: ${inputs(total)}${news}`),
    });
  });
}

async function* eachInput(
  connection: Connection,
  { project, targetName, bytes: totalBytes }: Corpus,
  signal: AbortSignal,
  onProgress: (doneBytes: number, totalBytes: number) => void,
): AsyncGenerator<CorpusInput> {
  let doneBytes = 0;
  for await (const input of pullCorpus(connection, { project, targetName }, { signal })) {
    doneBytes += input.bytes.length;
    onProgress(doneBytes, totalBytes);
    yield input;
  }
}

interface Exported {
  readonly total: number;
  /** Not there before. */
  readonly added: number;
}

/** One file for each input, named by its SHA-256. Existing files stay as they are. */
async function intoFolder(folder: string, all: AsyncIterable<CorpusInput>): Promise<Exported> {
  await makeFolder(folder).catch((error) => {
    throw codeOf(error) === 'EEXIST' ? new UserError(`${folder} is a file: name a folder`) : error;
  });
  const present = new Set(await readdir(folder));
  let [total, added] = [0, 0];
  for await (const { sha256, bytes } of all) {
    total += 1;
    if (present.has(sha256)) continue;
    const path = join(folder, sha256);
    await writeFile(`${path}.part`, bytes);
    await rename(`${path}.part`, path);
    added += 1;
  }
  return { total, added };
}

/** The file appears only once it is whole. */
async function intoArchive(path: string, all: AsyncIterable<CorpusInput>): Promise<Exported> {
  let total = 0;
  async function* files(): AsyncGenerator<TarFile> {
    for await (const { sha256, bytes } of all) {
      total += 1;
      yield { path: sha256, sizeBytes: bytes.length, content: [bytes] };
    }
  }
  await replaceFile(path, (partial) =>
    pipeline(Readable.from(tarStream(files())), createGzip(), createWriteStream(partial)),
  );
  return { total, added: total };
}
