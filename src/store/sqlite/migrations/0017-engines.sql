-- What a bot's engines are and can do, for people: a JSON array of objects.

ALTER TABLE bots ADD COLUMN engine_details TEXT NOT NULL DEFAULT '[]'
  CHECK (json_type(engine_details) = 'array');
