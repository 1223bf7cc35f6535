-- What the shares of a campaign's builds are made by, and builds that are held.

-- Sums of its runs that fade as the campaign is billed more (store/campaign-sums.ts): what was
-- found, runs that found something, milliseconds billed; and the campaign's bill at that time.
ALTER TABLE campaign_arms ADD COLUMN recent_found REAL NOT NULL DEFAULT 0
  CHECK (recent_found >= 0);
ALTER TABLE campaign_arms ADD COLUMN recent_hits REAL NOT NULL DEFAULT 0 CHECK (recent_hits >= 0);
ALTER TABLE campaign_arms ADD COLUMN recent_ms REAL NOT NULL DEFAULT 0 CHECK (recent_ms >= 0);
ALTER TABLE campaign_arms ADD COLUMN stamp_ms INTEGER NOT NULL DEFAULT 0 CHECK (stamp_ms >= 0);
-- Runs that a new build is still given whatever it finds.
ALTER TABLE campaign_arms ADD COLUMN trial_left INTEGER NOT NULL DEFAULT 4
  CHECK (trial_left >= 0);
-- The newest runs, at most 9: milliseconds that they held a slot without fuzzing, a JSON array.
ALTER TABLE campaign_arms ADD COLUMN overheads TEXT NOT NULL DEFAULT '[]'
  CHECK (json_type(overheads) = 'array');
-- Runs on end that fuzzed for hardly any time.
ALTER TABLE campaign_arms ADD COLUMN short_runs INTEGER NOT NULL DEFAULT 0
  CHECK (short_runs >= 0);
-- It makes no run before this, and then one; NULL: it is not held.
ALTER TABLE campaign_arms ADD COLUMN held_until INTEGER;
-- How long it is held this time.
ALTER TABLE campaign_arms ADD COLUMN hold_ms INTEGER NOT NULL DEFAULT 0 CHECK (hold_ms >= 0);
-- For people.
ALTER TABLE campaign_arms ADD COLUMN hold_why TEXT NOT NULL DEFAULT '';
