-- When a bot said that it had heard that it is to be drained.

ALTER TABLE bots ADD COLUMN drain_acknowledged_at INTEGER;
