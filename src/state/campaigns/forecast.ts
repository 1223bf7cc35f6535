import type { CampaignForecast } from '../../gen/pandafuzz/v1/campaign_service.js';
import { CampaignSpec } from '../../gen/pandafuzz/v1/campaign_service.js';
import { msOfHour } from '../../store/campaign-end.js';
import {
  chanceOf,
  type Evidence,
  evidenceOf,
  leastMs,
  leastRuns,
  mostBins,
  shapeOf,
} from '../../store/campaign-forecast.js';
import { type ArmRow, type FuzzCampaignRow, recentOf } from '../../store/campaign-rows.js';
import type { ForecastRow } from '../../store/ops/campaigns/keep-score.js';
import { sentencesOf } from './forecast-words.js';
import { quantile } from './gamma.js';
import { lengthOfRun } from './run-length.js';

/** With fewer finds than this in the sums only a bound is given. */
const leastHits = 0.5;
/** So many finds a rate may bring about, and bring about none with 5 %. */
const unseen = 3;
/** No group that one run alone met is not none left. */
const priorGroups = 0.5;

export interface ForecastFacts {
  readonly campaign: FuzzCampaignRow;
  readonly arms: readonly ArmRow[];
  /** Its runs under way. */
  readonly running: number;
  readonly scores: readonly ForecastRow[];
}

/** Whether a campaign may find more in its next hour. */
export function forecastOf({ campaign, arms, running, scores }: ForecastFacts): CampaignForecast {
  const { runs, billed_ms: billedMs } = campaign;
  const spec = CampaignSpec.fromJSON(JSON.parse(campaign.spec));
  const recent = arms.map((row) => ({ recent: recentOf(row), runMs: lengthOfRun(spec, row) }));
  const evidence = evidenceOf(recent, billedMs);
  const groups = {
    groupRuns: campaign.group_runs,
    groupsMet: campaign.groups_met,
    groupsOnce: campaign.groups_once,
  };
  const figures = figuresOf(evidence, Math.max(running, 1));
  const isKnown = runs >= leastRuns && billedMs >= leastMs && evidence.ms > 0;
  const forecast = {
    ...(isKnown ? { ...figures, ...groups } : unknown),
    isKnown,
    newGroupChance: isKnown ? newGroupChance(groups, evidence, figures.nextCpuHours) : undefined,
    scores: isKnown ? scores.map(scoreOf) : [],
  };
  const quietCpuHours = Math.max(billedMs - campaign.last_find_ms, 0) / msOfHour;
  const so = { runs, cpuHours: billedMs / msOfHour, running, hasFound: campaign.finding_runs > 0 };
  return { ...forecast, sentences: sentencesOf(forecast, { ...so, quietCpuHours }) };
}

const unknown = {
  ...{ chance: 0, low: 0, high: 0, isBound: false, nextCpuHours: 0 },
  ...{ recentRuns: 0, recentFindingRuns: 0, recentCpuHours: 0 },
  ...{ groupRuns: 0, groupsMet: 0, groupsOnce: 0 },
};

/** @param hours CPU hours that come */
export function figuresOf(evidence: Evidence, hours: number) {
  const spent = evidence.ms / msOfHour;
  const isBound = evidence.hits < leastHits;
  const within = (finds: number) => (spent > 0 ? -Math.expm1((-finds * hours) / spent) : 0);
  const at = (part: number) => within(quantile(shapeOf(evidence), part));
  return {
    chance: chanceOf(evidence, hours * msOfHour),
    low: isBound ? 0 : at(0.1),
    high: isBound ? within(unseen) : at(0.9),
    isBound,
    nextCpuHours: hours,
    recentRuns: evidence.runs,
    recentFindingRuns: evidence.hits,
    recentCpuHours: spent,
  };
}

/** Good and Turing's estimate, from groups that one run alone has met. */
export function newGroupChance(
  { groupRuns, groupsOnce }: { groupRuns: number; groupsOnce: number },
  { runs, ms }: Evidence,
  hours: number,
): number | undefined {
  if (groupRuns < leastRuns || ms <= 0) return undefined;
  const ahead = (runs / ms) * hours * msOfHour;
  return -Math.expm1((-(groupsOnce + priorGroups) / groupRuns) * ahead);
}

const scoreOf = ({ bin, forecasts, said, came }: ForecastRow) => ({
  from: bin / mostBins,
  forecasts,
  said: forecasts > 0 ? said / forecasts : 0,
  came: forecasts > 0 ? came / forecasts : 0,
});
