-- A name in a client's certificate that stands for the token ("DNS:north"); '': its text does.
ALTER TABLE tokens ADD COLUMN certificate TEXT NOT NULL DEFAULT '';
