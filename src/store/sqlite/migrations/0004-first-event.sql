-- The log of events is never empty: a watcher's cursor is a sequence, and 0 means "from now on".

INSERT INTO events (time, kind, subject, detail)
SELECT 0, 'log.began', '', '{}' WHERE NOT EXISTS (SELECT 1 FROM events);
