-- Who did what, from where: a chain of hashes (core/audit.ts).
CREATE TABLE audit (
  -- Without gaps.
  sequence   INTEGER PRIMARY KEY CHECK (sequence > 0),
  -- Never before that of the entry before.
  time       INTEGER NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('change', 'refusal', 'cut')),
  method     TEXT NOT NULL,
  caller     TEXT NOT NULL,
  token_id   TEXT NOT NULL,
  role       TEXT NOT NULL,
  address    TEXT NOT NULL,
  request_id TEXT NOT NULL,
  -- JSON: pairs of field and value.
  about      TEXT NOT NULL,
  outcome    TEXT NOT NULL,
  count      INTEGER NOT NULL CHECK (count > 0),
  -- Hash of the entry before; '' of the first.
  previous   TEXT NOT NULL,
  hash       TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE INDEX audit_by_time ON audit (time, sequence);
CREATE INDEX audit_by_caller ON audit (caller, sequence);
