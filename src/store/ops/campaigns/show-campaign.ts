import { NotFoundError } from '../../../core/errors.js';
import type { EarlierBuildRow, HistoryRow, LoadedCampaign } from '../../campaign-rows.js';
import { pageOperation } from '../../operation.js';
import { all, page, type Steps, statement } from '../../statement.js';
import { type CampaignNamed, findCampaign } from './find-campaign.js';
import { readHistory } from './history.js';
import { type ForecastRow, readForecasts } from './keep-score.js';
import { loaded } from './load-campaign.js';

/** A campaign with what became of it. */
export interface ShownCampaign extends LoadedCampaign {
  /** Newest first. */
  earlier: EarlierBuildRow[];
  history: HistoryRow[];
  /** Ids of its newest jobs. */
  runs: string[];
  /** How forecasts of all campaigns came out. */
  forecasts: ForecastRow[];
}

interface ShowCampaign extends CampaignNamed {
  /** Most of each to return. */
  earlier: number;
  history: number;
  runs: number;
}

const earlierBuilds = statement<{ campaignId: string; limit: number }, EarlierBuildRow>(`
  SELECT build, spec, since, until FROM campaign_builds
  WHERE campaign_id = @campaignId AND until IS NOT NULL
  ORDER BY until DESC, build DESC LIMIT @limit`);
const newestRuns = statement<{ campaignId: string; limit: number }, { job_id: string }>(`
  SELECT job_id FROM campaign_runs WHERE campaign_id = @campaignId
  ORDER BY job_id DESC LIMIT @limit`);

/** @throws NotFoundError, PreconditionError AMBIGUOUS */
export const showCampaign = pageOperation(
  'show_campaign',
  function* (input: ShowCampaign): Steps<ShownCampaign> {
    const campaignId = yield* findCampaign(input);
    const found = yield* loaded(campaignId);
    if (!found) throw new NotFoundError({ resource: 'campaign', id: input.text });
    const beforeSequence = Number.MAX_SAFE_INTEGER;
    const runs = yield* all(newestRuns, { campaignId, limit: input.runs });
    return {
      ...found,
      earlier: yield* page(earlierBuilds, { campaignId, limit: input.earlier }),
      history: yield* readHistory({ campaignId, beforeSequence, limit: input.history }),
      runs: runs.map(({ job_id }) => job_id),
      forecasts: yield* readForecasts(),
    };
  },
);
