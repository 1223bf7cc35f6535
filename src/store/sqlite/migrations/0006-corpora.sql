-- How large the corpus of each target is, without counting: kept by the triggers below.

CREATE TABLE corpora (
  target_name TEXT PRIMARY KEY,
  entries     INTEGER NOT NULL CHECK (entries >= 0),
  bytes       INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO corpora (target_name, entries, bytes)
SELECT target_name, count(*), sum(size_bytes) FROM corpus_entries GROUP BY target_name;

CREATE TRIGGER count_corpus AFTER INSERT ON corpus_entries
BEGIN
  INSERT INTO corpora (target_name, entries, bytes) VALUES (NEW.target_name, 1, NEW.size_bytes)
  ON CONFLICT (target_name) DO UPDATE SET entries = entries + 1, bytes = bytes + NEW.size_bytes;
END;

CREATE TRIGGER uncount_corpus AFTER DELETE ON corpus_entries
BEGIN
  UPDATE corpora SET entries = entries - 1, bytes = bytes - OLD.size_bytes
    WHERE target_name = OLD.target_name;
END;
