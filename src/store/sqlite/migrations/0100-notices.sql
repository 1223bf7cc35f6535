-- Notices beside those of crash groups: campaigns that end or are stuck, bots that are lost.

DROP INDEX events_to_deliver;
-- The few events that are delivered, among those of every job.
CREATE INDEX events_to_deliver ON events (sequence)
  WHERE kind IN ('crash_group.new', 'crash_group.reopened', 'crash_group.fixed',
    'campaign.ended', 'campaign.stuck', 'campaign.unstuck', 'bot.lost', 'bot.back');

-- Since when a bot is missed; NULL: it is not.
ALTER TABLE bots ADD COLUMN lost_at INTEGER;

-- The health word by which an active campaign is stuck; empty: it is not.
ALTER TABLE fuzz_campaigns ADD COLUMN stuck_by TEXT NOT NULL DEFAULT '';
