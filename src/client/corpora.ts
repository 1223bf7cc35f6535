import {
  CorpusEntry,
  type CorpusKey,
  type ImportCorpusRequest,
  type ImportCorpusResponse,
  type InputPutAside,
} from '../gen/pandafuzz/v1/corpus_service.js';
import { type CallLimits, unary } from './call.js';
import type { Connection } from './connect.js';
import type { CorpusInput } from './corpus.js';
import { chunkBytes } from './file-chunks.js';
import { type SendOptions, sendMessages } from './send.js';

const pageSize = 1000;

/** Adds inputs to a corpus without a lease; resolves when they are on the master's disk. */
export function importCorpus(
  { corpora }: Connection,
  corpus: CorpusKey,
  inputs: Iterable<CorpusInput>,
  options: SendOptions = {},
): Promise<ImportCorpusResponse> {
  const messages = async function* (): AsyncGenerator<ImportCorpusRequest> {
    yield { message: { $case: 'corpus', value: corpus } };
    for (const { sha256, bytes } of inputs) {
      const entry = CorpusEntry.create({ sha256, sizeBytes: bytes.length });
      yield { message: { $case: 'entry', value: entry } };
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        yield { message: { $case: 'chunk', value: bytes.subarray(at, at + chunkBytes) } };
      }
    }
  };
  return sendMessages<ImportCorpusRequest, ImportCorpusResponse>(
    (metadata, callback) => corpora.importCorpus(metadata, callback),
    messages(),
    options,
  );
}

/** Pages of a corpus's entries, each with the revision that it belongs to. */
export async function* corpusEntries(
  { corpora }: Connection,
  corpus: CorpusKey,
  limits: CallLimits = {},
): AsyncGenerator<{ readonly entries: CorpusEntry[]; readonly revision: number }> {
  for (let cursor = 0; ; ) {
    const request = { corpus, cursor, pageSize };
    const page = await unary(corpora, corpora.listCorpusEntries, request, limits);
    yield page;
    const last = page.entries.at(-1);
    if (!last || page.entries.length < pageSize) return;
    cursor = last.cursor;
  }
}

/** Inputs that are put aside for a build, after `cursor`. */
export async function* inputsPutAside(
  { corpora }: Connection,
  of: { readonly corpus: CorpusKey; readonly targetSha256: string; readonly cursor?: number },
  limits: CallLimits = {},
): AsyncGenerator<InputPutAside> {
  for (let cursor = of.cursor ?? 0; ; ) {
    const request = { ...of, cursor, pageSize };
    const { inputs } = await unary(corpora, corpora.listInputsPutAside, request, limits);
    yield* inputs;
    const last = inputs.at(-1);
    if (!last || inputs.length < pageSize) return;
    cursor = last.cursor;
  }
}
