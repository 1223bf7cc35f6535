import { msOfHour } from '../../campaign-end.js';
import { binOf, chanceOf, evidenceOf, leastMs, leastRuns } from '../../campaign-forecast.js';
import { type FuzzCampaignRow, recentOf } from '../../campaign-rows.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { ownArms } from './load-campaign.js';

/** How one tenth of the forecasts of all campaigns came out. */
export interface ForecastRow {
  /** 0: a chance below 0.1 was given; 9: one of 0.9 or more. */
  bin: number;
  forecasts: number;
  /** Sum of the chances. */
  said: number;
  came: number;
}

interface Pending {
  id: string;
  fromMs: number | null;
  untilMs: number | null;
  hits: number;
  ms: number;
  came: 0 | 1;
}

const underWay = statement<{ id: string }, { runs: number }>(`
  SELECT count(*) AS runs FROM campaign_runs WHERE campaign_id = @id AND settled = 0`);
const set = statement<Pending>(`
  UPDATE fuzz_campaigns SET forecast_from_ms = @fromMs, forecast_until_ms = @untilMs,
    forecast_hits = @hits, forecast_ms = @ms, forecast_came = @came
  WHERE id = @id`);
const came = statement<{ id: string }>(
  'UPDATE fuzz_campaigns SET forecast_came = 1 WHERE id = @id',
);
const note = statement<Omit<ForecastRow, 'forecasts'>>(`
  INSERT INTO campaign_forecasts (bin, forecasts, said, came) VALUES (@bin, 1, @said, @came)
  ON CONFLICT (bin) DO UPDATE SET forecasts = campaign_forecasts.forecasts + 1,
    said = campaign_forecasts.said + excluded.said, came = campaign_forecasts.came + excluded.came`);
const record = statement<{ from: number }, ForecastRow>(`
  SELECT bin, forecasts, said, came FROM campaign_forecasts WHERE bin >= @from ORDER BY bin`);

/**
 * Compares the forecast of a campaign with what came, and makes the next one. A forecast is for
 * an hour of as many runs as are under way when it is made; it is judged when runs that took so
 * long have ended, by the chance that it gave for the time that they did take: an hour that
 * ends amid runs is as long as they are.
 *
 * @param campaign as it is with the run that has ended
 * @param plannedMs of that run
 * @param found whether it found something
 */
export function* keepScore(
  campaign: FuzzCampaignRow,
  { found, plannedMs }: { found: boolean; plannedMs: number },
): Steps<void> {
  const { id, billed_ms: billedMs, forecast_from_ms: from, forecast_until_ms: until } = campaign;
  if (from !== null && until !== null) {
    if (billedMs < until) {
      if (found && campaign.forecast_came === 0) yield* run(came, { id });
      return;
    }
    const said = chanceOf(
      { hits: campaign.forecast_hits, ms: campaign.forecast_ms },
      billedMs - from,
    );
    const hasCome = found || campaign.forecast_came === 1 ? 1 : 0;
    yield* run(note, { bin: binOf(said), said, came: hasCome });
  }
  if (campaign.runs < leastRuns || billedMs < leastMs) return;
  const arms = yield* ownArms(id);
  const recent = arms.map((row) => ({ recent: recentOf(row), runMs: plannedMs }));
  const { hits, ms } = evidenceOf(recent, billedMs);
  const runs = Math.max((yield* one(underWay, { id }))?.runs ?? 0, 1);
  const untilMs = billedMs + runs * msOfHour;
  yield* run(set, { id, fromMs: billedMs, untilMs, hits, ms, came: 0 });
}

/** How forecasts of all campaigns came out: the tenths that there were any of. */
export const readForecasts = () => all(record, { from: 0 });
