-- Secrets of targets, encrypted (core/secret-box.ts).
CREATE TABLE secrets (
  project    TEXT NOT NULL,
  name       TEXT NOT NULL,
  -- Which key opens it: the beginning of a hash of that key.
  key_id     TEXT NOT NULL,
  -- Nonce, tag and ciphertext, base64.
  sealed     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  set_at     INTEGER NOT NULL,
  set_by     TEXT NOT NULL,
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;
