import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { UserError } from '../../core/errors.js';
import { Corpus, CorpusOrigin, type CorpusSource } from '../../gen/pandafuzz/v1/corpus_service.js';
import { ago, bytes, count } from '../format.js';
import { type ListFlags, showListing } from '../listing.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { corpusSorts } from '../sorts.js';
import type { CallOptions } from '../submit.js';
import { facts, table } from '../table.js';
import { about, type CorpusFlags, inputs, keyOf } from './names.js';

/** `pandafuzz corpus list` and `get`. */

export function showCorpora(
  flags: Flags & ListFlags & { project?: string; target?: string },
): Promise<void> {
  const { project, target } = flags;
  return asking(flags, ({ corpora }, options) =>
    showListing(flags, {
      items: 'corpora',
      first: 'first',
      read: async (page) => {
        const answer = await unary(corpora, corpora.listCorpora, page, options);
        return { items: answer.corpora, nextPageToken: answer.nextPageToken };
      },
      ...((project !== undefined || target !== undefined) && {
        passes: (corpus: Corpus) =>
          (project === undefined || corpus.project === project) &&
          (target === undefined || corpus.targetName === target),
      }),
      sorts: corpusSorts,
      toJson: Corpus.toJSON,
      text: (found, width) => corpusTable(found, Date.now(), width),
    }),
  );
}

function corpusTable(found: readonly Corpus[], now: number, width: number | undefined): string {
  if (found.length === 0) return 'no corpora: they begin with the first job or "corpus import"';
  const columns = [
    { name: 'project', leaves: 'same' as const },
    { name: 'target', shrinks: 'first' as const },
    { name: 'inputs', right: true },
    { name: 'size', right: true },
    { name: 'cov', right: true },
    { name: 'merged', right: true },
  ];
  const rows = found.map(({ project, targetName, entries, bytes: size, lastMerge }) => [
    project,
    targetName,
    count(entries),
    bytes(size),
    lastMerge?.after ? count(lastMerge.after.coverage) : '-',
    ago(lastMerge?.at, now),
  ]);
  return table(columns, rows, width);
}

export function showCorpus(flags: CorpusFlags, targetName: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const corpus = await corpusOf(connection, keyOf(flags, targetName), options);
    print(flags, {
      json: () => Corpus.toJSON(corpus),
      text: () => corpusDetails(corpus, Date.now()),
    });
  });
}

/** @throws UserError when there is none, and what else the master answers */
export async function corpusOf(
  { corpora }: Connection,
  key: ReturnType<typeof keyOf>,
  options: CallOptions,
): Promise<Corpus> {
  const request = { corpus: key };
  const { corpus } = await about(key, unary(corpora, corpora.getCorpus, request, options));
  if (!corpus) throw new UserError('the master sent no corpus');
  return corpus;
}

function corpusDetails(corpus: Corpus, now: number): string {
  const { lastMerge, mergingJobId } = corpus;
  return facts([
    ['project', corpus.project],
    ['target', corpus.targetName],
    ['size', `${inputs(corpus.entries)}, ${bytes(corpus.bytes)}`],
    ['at most', boundsText(corpus)],
    ['from', corpus.sources.map(sourceText).join('\n') || '-'],
    ['put aside', buildsText(corpus, now)],
    ['coverage', lastMerge?.after ? coverageText(corpus) : 'not known before the first merge'],
    ['last merge', lastMerge ? mergeText(corpus, now) : '-'],
    ['merging', mergingJobId === '' ? '-' : `job ${mergingJobId}`],
  ]);
}

/** A master of an earlier version has no bounds. */
function boundsText({ maxEntries, maxBytes }: Corpus): string {
  return maxEntries > 0 ? `${inputs(maxEntries)}, ${bytes(maxBytes)}` : '-';
}

const origins: Partial<Record<CorpusOrigin, string>> = {
  [CorpusOrigin.ENGINE]: 'found',
  [CorpusOrigin.SEEDS]: 'seeds of jobs',
  [CorpusOrigin.IMPORT]: 'imported',
};

function sourceText({ origin, engine, entries, bytes: size }: CorpusSource): string {
  const by = origin === CorpusOrigin.ENGINE && engine !== '' ? ` by ${engine}` : '';
  return `${inputs(entries)} ${origins[origin] ?? 'of unknown origin'}${by}, ${bytes(size)}`;
}

function buildsText({ builds }: Corpus, now: number): string {
  const lines = builds.map(
    ({ targetSha256, putAside, lastAt }) =>
      `${inputs(putAside)} for build ${targetSha256.slice(0, 12)}, the last ${ago(lastAt, now)}`,
  );
  return lines.join('\n') || '-';
}

function coverageText({ lastMerge }: Corpus): string {
  const { coverage = 0, features = 0 } = lastMerge?.after ?? {};
  return `${coverage}${features > 0 ? `, ${features} features` : ''} at the last merge`;
}

function mergeText({ lastMerge }: Corpus, now: number): string {
  const { at, entriesBefore = 0, entriesAfter = 0, targetSha256 = '' } = lastMerge ?? {};
  const build = targetSha256.slice(0, 12);
  return `${ago(at, now)}: ${entriesBefore} -> ${inputs(entriesAfter)}, with build ${build}`;
}
