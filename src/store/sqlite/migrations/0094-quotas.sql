-- Artifacts are counted, for limits.max_artifacts.
INSERT INTO counters (name, value) SELECT 'artifacts', count(*) FROM artifacts;

CREATE TRIGGER count_artifact AFTER INSERT ON artifacts
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'artifacts'; END;

CREATE TRIGGER uncount_artifact AFTER DELETE ON artifacts
BEGIN UPDATE counters SET value = value - 1 WHERE name = 'artifacts'; END;
