-- How far a bot keeps runs apart, and what is missing on its machine for more.

-- As in pandafuzz.v1.Isolation; 0: not stated.
ALTER TABLE bots ADD COLUMN isolation INTEGER NOT NULL DEFAULT 0 CHECK (isolation BETWEEN 0 AND 4);
ALTER TABLE bots ADD COLUMN isolation_gaps TEXT NOT NULL DEFAULT '[]'
  CHECK (json_type(isolation_gaps) = 'array');
