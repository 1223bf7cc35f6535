import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import type {
  Corpus,
  CorpusKey,
  ListCorporaRequest,
  ListCorporaResponse,
  ListCorpusEntriesRequest,
  ListCorpusEntriesResponse,
  RemoveCorpusEntriesRequest,
  RemoveCorpusEntriesResponse,
  ResetCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { CorpusBounds } from '../../store/ops/corpus/add-corpus.js';
import { type CorpusOf, fewestToMerge } from '../../store/ops/corpus/corpus-of.js';
import { listCorpusEntries } from '../../store/ops/corpus/list-entries.js';
import { removeCorpusEntries, resetCorpus } from '../../store/ops/corpus/remove-entries.js';
import { listCorpora, showCorpus } from '../../store/ops/corpus/show-corpora.js';
import type { CorpusRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { isProject, projectProblem } from '../messages/checks.js';
import { corpusOf, corpusRecord, entryRecord } from '../messages/corpus-records.js';
import { cutPageBy, pageSizeOf } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';

/** First digits of a SHA-256 that may stand for it. */
const shortest = 4;
/** Inputs that one call removes. */
const mostRemoved = 1000;

/** Corpora, as people look at them and change them. */
export class Corpora {
  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly clock: Clock,
    private readonly bounds: CorpusBounds,
  ) {}

  /** @throws ValidationError */
  async list(ctx: RequestContext, request: ListCorporaRequest): Promise<ListCorporaResponse> {
    const { project = '' } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    const limit = pageSizeOf(request, found);
    const after = decode(request.pageToken);
    found
      .expect(after !== undefined, 'page_token', 'must be a next_page_token of this list')
      .throwIfAny();
    const of = project === '' ? {} : { project, isWithin: true };
    const page = { ...(after as CorpusOf), ...of, limit: limit + 1 };
    const shown = await this.store.run(ctx, listCorpora, page);
    const rows = shown.map(({ corpus }) => corpus);
    const tokenAfter = ({ project, target_name: targetName }: CorpusRow) =>
      encode({ project, targetName });
    const { rows: kept, nextPageToken } = cutPageBy(rows, limit + 1, tokenAfter);
    return {
      corpora: shown.slice(0, kept.length).map((one) => corpusRecord(one, this.bounds)),
      nextPageToken,
    };
  }

  /** @throws ValidationError, NotFoundError */
  async get(ctx: RequestContext, key: CorpusKey | undefined): Promise<Corpus> {
    const of = checked(key);
    const shown = await this.store.run(ctx, showCorpus, of);
    if (shown) return corpusRecord(shown, this.bounds);
    throw new NotFoundError({ resource: 'corpus', id: `${of.project}/${of.targetName}` });
  }

  /** @throws ValidationError */
  async entries(
    ctx: RequestContext,
    request: ListCorpusEntriesRequest,
  ): Promise<ListCorpusEntriesResponse> {
    const { corpus, cursor } = request;
    const found = new Violations();
    const of = corpusOf(corpus, found);
    const limit = pageSizeOf({ ...request, pageToken: '' }, found);
    found.whole(cursor, 'cursor', { min: 0, max: Number.MAX_SAFE_INTEGER }).throwIfAny();
    const page = { ...of, cursor, limit };
    const { revision, rows } = await this.store.run(ctx, listCorpusEntries, page);
    return { entries: rows.map(entryRecord), revision };
  }

  /** @throws ValidationError, NotFoundError */
  async remove(
    ctx: RequestContext,
    { corpus, sha256s }: RemoveCorpusEntriesRequest,
  ): Promise<RemoveCorpusEntriesResponse> {
    const found = new Violations();
    const of = corpusOf(corpus, found);
    const isFine = sha256s.every((text) => /^[0-9a-f]{4,64}$/.test(text));
    found
      .expect(
        sha256s.length >= 1 && sha256s.length <= mostRemoved,
        'sha256s',
        `must be 1 to ${mostRemoved}`,
      )
      .expect(isFine, 'sha256s', `must be SHA-256s, or their first digits, at least ${shortest}`)
      .throwIfAny();
    const input = { ...of, sha256s, now: this.clock.now() };
    return this.store.run(ctx, removeCorpusEntries, input);
  }

  /** @throws ValidationError, NotFoundError */
  async reset(ctx: RequestContext, key: CorpusKey | undefined): Promise<ResetCorpusResponse> {
    const input = { ...checked(key), fewest: fewestToMerge, now: this.clock.now() };
    return { removed: await this.store.run(ctx, resetCorpus, input) };
  }
}

function checked(key: CorpusKey | undefined): CorpusOf {
  const found = new Violations();
  const of = corpusOf(key, found);
  found.throwIfAny();
  return of;
}

const encode = ({ project, targetName }: CorpusOf) =>
  Buffer.from(`${project}/${targetName}`).toString('base64url');

/** @returns what sorts before every corpus for the first page, undefined for an invalid token */
function decode(token: string): CorpusOf | undefined {
  if (token === '') return { project: '', targetName: '' };
  const text = Buffer.from(token, 'base64url').toString();
  const at = text.indexOf('/');
  const of = { project: text.slice(0, at), targetName: text.slice(at + 1) };
  return at > 0 && encode(of) === token ? of : undefined;
}
