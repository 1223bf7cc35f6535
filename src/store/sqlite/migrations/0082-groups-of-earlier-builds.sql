-- Crash groups that runs of a campaign met with earlier builds, to be deleted in slices.
CREATE INDEX campaign_groups_since ON campaign_groups (campaign_id, since);
