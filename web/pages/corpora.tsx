import { call } from '../api/call.js';
import { Age } from '../format/ages.js';
import { bytes, num, si } from '../format/figures.js';
import { inProject } from '../format/names.js';
import type { Corpus } from '../gen/pandafuzz/v1/corpus_service.js';
import { Link, pathOf } from '../route/route.js';
import { List, pageSize } from '../table/list.js';
import type { Column } from '../table/table.js';
import { Name } from '../text/text.js';

const columns: readonly Column<Corpus>[] = [
  {
    name: 'Target',
    level: 1,
    cell: (corpus) => (
      <Link to={pathOf('targets', corpus.project ?? 'default', corpus.targetName ?? '')}>
        <Name of={inProject(corpus.project, corpus.targetName ?? '')} most={40} />
      </Link>
    ),
  },
  { name: 'Inputs', level: 1, right: true, cell: ({ entries }) => si(num(entries)) },
  { name: 'Bytes', level: 2, right: true, cell: (corpus) => bytes(corpus.bytes) },
  {
    name: 'Put aside',
    level: 1,
    right: true,
    cell: ({ builds }) => si((builds ?? []).reduce((sum, { putAside }) => sum + num(putAside), 0)),
  },
  {
    name: 'Last merge',
    level: 2,
    cell: ({ lastMerge, mergingJobId }) =>
      mergingJobId ? (
        <Link to={pathOf('jobs', mergingJobId)}>merging now</Link>
      ) : lastMerge ? (
        <>
          <Age of={lastMerge.at} /> ago, {si(num(lastMerge.entriesBefore))} to{' '}
          {si(num(lastMerge.entriesAfter))}
        </>
      ) : (
        '–'
      ),
  },
  {
    name: 'From',
    level: 3,
    cell: ({ sources }) => (
      <Name
        of={(sources ?? [])
          .map(
            ({ engine, origin = '', entries }) =>
              `${engine || origin.replace('CORPUS_ORIGIN_', '').toLowerCase()} ${si(num(entries))}`,
          )
          .join(', ')}
        most={60}
      />
    ),
  },
];

/** Does the corpus grow, is it healthy? */
export const CorporaPage = () => (
  <>
    <h1>Corpora</h1>
    <List<Corpus>
      caption="Corpora"
      question="corpora"
      read={async (pageToken, abort) => {
        const answer = await call('CorpusService', 'ListCorpora', { pageSize, pageToken }, abort);
        return { rows: answer.corpora ?? [], next: answer.nextPageToken ?? '' };
      }}
      idOf={({ project, targetName }) => `${project}/${targetName}`}
      columns={columns}
      empty={<p>No corpus yet: bots bring what they find.</p>}
    />
  </>
);
