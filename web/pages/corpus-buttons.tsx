import { call } from '../api/call.js';
import { Action } from '../frame/actions.js';
import { Rights } from '../frame/rights.js';
import type { Corpus } from '../gen/pandafuzz/v1/corpus_service.js';
import { Link, pathOf } from '../route/route.js';

export function CorpusButtons({ of, then }: { of: Corpus; then: () => void }) {
  const corpus = { project: of.project ?? 'default', targetName: of.targetName ?? '' };
  if (of.mergingJobId) {
    return <Link to={pathOf('jobs', of.mergingJobId)}>Merging now</Link>;
  }
  return (
    <Rights to="CorpusService/MergeCorpus" quiet>
      <Action
        ask="Merge this corpus? A bot keeps the inputs that coverage needs, and takes the others away."
        act={async () => {
          const { jobId = '', underWay } = await call('CorpusService', 'MergeCorpus', { corpus });
          return underWay ? `Job ${jobId} merges it already.` : `Job ${jobId} merges it.`;
        }}
        then={then}
      >
        Merge
      </Action>
    </Rights>
  );
}
