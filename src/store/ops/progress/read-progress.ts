import { type ArmRow, type FuzzCampaignRow, fuzzCampaignColumns } from '../../campaign-rows.js';
import { pageOperation } from '../../operation.js';
import { all, one, page, type Steps, statement } from '../../statement.js';
import { type ForecastRow, readForecasts } from '../campaigns/keep-score.js';
import { ownArms } from '../campaigns/load-campaign.js';

/** Targets after one of them by project and name, of one project or (empty) of all. */
export interface ProgressPage {
  afterProject: string;
  afterName: string;
  project: string;
  limit: number;
  /** Points of coverage since, ms since 1970. */
  from: number;
  /** The least id of groups that count as new. */
  newFrom: string;
}

/** A fuzzing job, as far as it shows how its target does. */
export interface ProgressJob {
  id: string;
  state: string;
  started_at: number | null;
  finished_at: number | null;
  /** Of dead ones alone, and the beginning of it. */
  message: string | null;
  /** Of dead ones alone. */
  statistics: string | null;
  earlier_statistics: string | null;
}

export interface CoveragePoint {
  time: number;
  engine: string;
  coverage: number;
}

export interface TargetFacts {
  project: string;
  name: string;
  /** The newest first. */
  jobs: ProgressJob[];
  points: CoveragePoint[];
  /** Newest inputs of the corpus that an engine found, ms since 1970; null: none lately. */
  foundAt: number | null;
  groups: { open: number; fresh: number };
  /** Those that are not archived, the newest first. */
  campaigns: { campaign: FuzzCampaignRow; arms: ArmRow[] }[];
}

export interface ProgressFacts {
  targets: TargetFacts[];
  /** How forecasts of all campaigns came out. */
  forecasts: ForecastRow[];
}

interface Name {
  project: string;
  name: string;
}

const ofAll = statement<ProgressPage, Name>(`
  SELECT project, name FROM targets WHERE (project, name) > (@afterProject, @afterName)
  ORDER BY project, name LIMIT @limit`);
const ofOne = statement<ProgressPage, Name>(`
  SELECT project, name FROM targets WHERE project = @project AND name > @afterName
  ORDER BY name LIMIT @limit`);
const newestJobs = statement<Name, ProgressJob>(`
  SELECT id, state, started_at, finished_at,
    CASE WHEN state = 'dead' THEN substr(message, 1, 300) END AS message,
    CASE WHEN state = 'dead' THEN statistics END AS statistics,
    CASE WHEN state = 'dead' THEN earlier_statistics END AS earlier_statistics
  FROM jobs WHERE kind = 'fuzz' AND project = @project AND target_name = @name
  ORDER BY id DESC LIMIT 20`);
const coverage = statement<{ subject: string; from: number }, CoveragePoint>(`
  SELECT time, engine, coverage FROM series
  WHERE subject = @subject AND step_s = 600 AND time >= @from ORDER BY time, engine`);
const newestInputs = statement<Name, { found_at: number | null }>(`
  SELECT max(CASE WHEN origin = 'engine' THEN added_at END) AS found_at FROM (
    SELECT origin, added_at FROM corpus_entries
    WHERE generation_id = (
      SELECT generation_id FROM corpora WHERE project = @project AND target_name = @name)
    ORDER BY sequence DESC LIMIT 50) AS newest`);
const groups = statement<
  Name & { newFrom: string },
  { open: number | null; fresh: number | null }
>(`
  SELECT CAST(sum(CASE WHEN status IN ('new', 'confirmed') THEN 1 ELSE 0 END) AS BIGINT) AS open,
    CAST(sum(CASE WHEN id >= @newFrom THEN 1 ELSE 0 END) AS BIGINT) AS fresh
  FROM (
    SELECT id, status FROM crash_groups
    WHERE project = @project AND target_name = @name AND merged_into IS NULL
    ORDER BY id DESC LIMIT 1000) AS newest`);

const campaigns = statement<Name, FuzzCampaignRow>(`
  SELECT ${fuzzCampaignColumns} FROM fuzz_campaigns
  WHERE project = @project AND target_name = @name AND state <> 'archived'
  ORDER BY id DESC LIMIT 3`);

/** Targets with all that shows how they do: for each a bounded number of rows. */
export const readProgress = pageOperation(
  'read_progress',
  function* (of: ProgressPage): Steps<ProgressFacts> {
    const targets: TargetFacts[] = [];
    for (const named of yield* page(of.project === '' ? ofAll : ofOne, of)) {
      const subject = `target ${named.project}/${named.name}`;
      const counted = yield* one(groups, { ...named, newFrom: of.newFrom });
      const inputs = yield* one(newestInputs, named);
      targets.push({
        ...named,
        jobs: yield* all(newestJobs, named),
        points: yield* all(coverage, { subject, from: of.from }),
        foundAt: inputs?.found_at ?? null,
        groups: { open: counted?.open ?? 0, fresh: counted?.fresh ?? 0 },
        campaigns: yield* campaignsOf(named),
      });
    }
    return { targets, forecasts: yield* readForecasts() };
  },
);

function* campaignsOf(named: Name): Steps<TargetFacts['campaigns']> {
  const found: TargetFacts['campaigns'] = [];
  for (const campaign of yield* all(campaigns, named)) {
    found.push({ campaign, arms: yield* ownArms(campaign.id) });
  }
  return found;
}
