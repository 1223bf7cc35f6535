-- The bucket that has the blobs of this database; no row: they are in the data folder.
CREATE TABLE blob_place (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL CHECK (name <> ''),
  url  TEXT NOT NULL CHECK (url <> '')
) STRICT;
