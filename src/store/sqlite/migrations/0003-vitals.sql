-- One row, written again and again: that the writer thread and the disk do their work.
CREATE TABLE vitals (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  written_at INTEGER NOT NULL
) STRICT;

INSERT INTO vitals (id, written_at) VALUES (1, 0);
