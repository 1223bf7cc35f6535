-- What a campaign may still find is judged by.

-- Runs in the sums that fade, as recent_hits are those of them that found something.
ALTER TABLE campaign_arms ADD COLUMN recent_runs REAL NOT NULL DEFAULT 0 CHECK (recent_runs >= 0);
UPDATE campaign_arms SET recent_runs = max(recent_hits, recent_ms * runs / max(cpu_ms, runs * 60000))
  WHERE runs > 0;

-- billed_ms at the last find.
ALTER TABLE fuzz_campaigns ADD COLUMN last_find_ms INTEGER NOT NULL DEFAULT 0
  CHECK (last_find_ms >= 0);
UPDATE fuzz_campaigns SET last_find_ms = quiet_from_ms;

-- Of crash groups since builds changed last: that revision, runs that ended since, groups that
-- they met, and those of them that one run alone met.
ALTER TABLE fuzz_campaigns ADD COLUMN groups_since INTEGER NOT NULL DEFAULT 0
  CHECK (groups_since >= 0);
ALTER TABLE fuzz_campaigns ADD COLUMN group_runs INTEGER NOT NULL DEFAULT 0 CHECK (group_runs >= 0);
ALTER TABLE fuzz_campaigns ADD COLUMN groups_met INTEGER NOT NULL DEFAULT 0 CHECK (groups_met >= 0);
ALTER TABLE fuzz_campaigns ADD COLUMN groups_once INTEGER NOT NULL DEFAULT 0
  CHECK (groups_once >= 0);

-- The forecast whose time is not over: billed_ms when it was made and when it is compared with
-- what came (NULL: there is none), what it was made from, and whether something was found since.
ALTER TABLE fuzz_campaigns ADD COLUMN forecast_from_ms INTEGER;
ALTER TABLE fuzz_campaigns ADD COLUMN forecast_until_ms INTEGER;
ALTER TABLE fuzz_campaigns ADD COLUMN forecast_hits REAL NOT NULL DEFAULT 0;
ALTER TABLE fuzz_campaigns ADD COLUMN forecast_ms REAL NOT NULL DEFAULT 0;
ALTER TABLE fuzz_campaigns ADD COLUMN forecast_came INTEGER NOT NULL DEFAULT 0
  CHECK (forecast_came IN (0, 1));

CREATE INDEX fuzz_campaigns_of_target ON fuzz_campaigns (project, target_name, id)
  WHERE state <> 'archived';

-- Crash groups that runs of a campaign met: in one run, or in several (2).
CREATE TABLE campaign_groups (
  campaign_id TEXT NOT NULL REFERENCES fuzz_campaigns (id),
  group_id    TEXT NOT NULL,
  -- The campaign's groups_since at that time; one of an earlier build counts as not met.
  since       INTEGER NOT NULL,
  runs        INTEGER NOT NULL CHECK (runs IN (1, 2)),
  PRIMARY KEY (campaign_id, group_id)
) STRICT, WITHOUT ROWID;

-- Forecasts of all campaigns, by the chance that they gave in tenths: how many, the sum of
-- these chances, and of how many it came true.
CREATE TABLE campaign_forecasts (
  bin       INTEGER PRIMARY KEY CHECK (bin BETWEEN 0 AND 9),
  forecasts INTEGER NOT NULL CHECK (forecasts >= 0),
  said      REAL NOT NULL CHECK (said >= 0),
  came      INTEGER NOT NULL CHECK (came >= 0)
) STRICT;
