-- Tokens of callers. A token itself is nowhere: what has its SHA-256 finds it.
CREATE TABLE tokens (
  id           TEXT PRIMARY KEY,
  -- SHA-256 of the token, 64 hex digits.
  hash         TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
  name         TEXT NOT NULL,
  role         TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'bot', 'enrol')),
  -- Of a bot, or of the bots that enrol with it: the value of their label "pool"; '': none.
  pool         TEXT NOT NULL DEFAULT '',
  -- Of role bot: the one bot that it is. NULL: the first that registers with it.
  bot_id       TEXT,
  created_by   TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  last_used_at INTEGER,
  revoked_at   INTEGER,
  -- Who revoked it; of role enrol, 'enrolment' once it was used.
  revoked_by   TEXT,
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
  CHECK (bot_id IS NULL OR role = 'bot')
) STRICT;

CREATE INDEX tokens_by_bot ON tokens (bot_id) WHERE bot_id IS NOT NULL;
CREATE INDEX tokens_revoked ON tokens (revoked_at, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX tokens_expiring ON tokens (expires_at, id) WHERE expires_at IS NOT NULL;
