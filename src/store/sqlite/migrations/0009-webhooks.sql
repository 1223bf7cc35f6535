-- How far each webhook has got in the log of events.

CREATE TABLE webhooks (
  name          TEXT PRIMARY KEY,
  -- Sequence of the last event that it is done with.
  cursor        INTEGER NOT NULL CHECK (cursor >= 0),
  -- Since when no delivery has been answered for good; NULL: the last one was.
  failing_since INTEGER,
  -- Why the last try failed; empty when it did not.
  last_error    TEXT NOT NULL,
  CHECK ((failing_since IS NULL) = (last_error = ''))
) STRICT, WITHOUT ROWID;

-- The few events that webhooks deliver, among those of every job.
CREATE INDEX events_to_deliver ON events (sequence)
  WHERE kind IN ('crash_group.new', 'crash_group.reopened', 'crash_group.fixed');
