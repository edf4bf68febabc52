-- The agent's database: what it has accepted, what it still has to deliver, whom it believes, and
-- its ledger. Times are milliseconds since 1970 in UTC; ids and digests are raw bytes.
-- Steps are never changed once released; add the next one at the end.

-- migration 1: memory, stops, outbox, trust, ledger

-- Every action that was accepted, also after it has finished: an id runs once. Forgotten 24 hours
-- after its expiry in signed time (AgentDb::Forget).
CREATE TABLE actions (
  arrival     INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they run
  id          BLOB    NOT NULL UNIQUE,
  digest      BLOB    NOT NULL,                   -- SHA-256 of the payload
  kind        TEXT    NOT NULL,
  expireafter INTEGER NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('received', 'started', 'finished')),
  attempts    INTEGER NOT NULL DEFAULT 0,         -- how often it was started
  status      TEXT,                               -- how it finished
  envelope    BLOB,                               -- as it came; NULL once finished
  -- How far its parts go; parts themselves may be gone again.
  next_seq         INTEGER NOT NULL DEFAULT 0,
  last_digest      BLOB    NOT NULL DEFAULT x'',
  operations_ended INTEGER NOT NULL DEFAULT 0,
  open_parts       INTEGER NOT NULL DEFAULT 0,    -- of the operation after those that ended
  first_failure    TEXT                           -- status of the first that did not succeed
);
CREATE INDEX actions_open ON actions (arrival) WHERE state <> 'finished';
CREATE INDEX actions_expire ON actions (expireafter);

-- Actions that people stopped, known or not yet known.
CREATE TABLE stops (
  action BLOB    PRIMARY KEY,
  until  INTEGER NOT NULL
) WITHOUT ROWID;

-- The outbox: signed result parts. Acknowledged ones stay, while there is room, to be repeated.
CREATE TABLE parts (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they are sent
  action       BLOB    NOT NULL REFERENCES actions (id) ON DELETE CASCADE,
  seq          INTEGER NOT NULL,
  envelope     BLOB    NOT NULL,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  UNIQUE (action, seq)
);
CREATE INDEX parts_waiting ON parts (number) WHERE acknowledged = 0;
CREATE INDEX parts_delivered ON parts (number) WHERE acknowledged = 1;

-- One row: whom the agent believes, and the time that signatures have shown.
CREATE TABLE trust (
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  time_floor     INTEGER NOT NULL,
  root_version   INTEGER NOT NULL,  -- highest ever seen; kept even if the documents are lost
  policy_version INTEGER NOT NULL,
  documents      BLOB               -- the JSON of a policy update
);
INSERT INTO trust VALUES (1, 0, 0, 0, NULL);

-- Append-only. The triggers stop mistakes; what shows tampering is the chain of hashes, and the
-- length and head in every signed result and heartbeat.
CREATE TABLE ledger (
  number INTEGER PRIMARY KEY,
  text   BLOB NOT NULL,
  hash   BLOB NOT NULL
);
CREATE TRIGGER ledger_kept BEFORE DELETE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_unchanged BEFORE UPDATE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- migration 2: the newest statement that the policy is still the newest
ALTER TABLE trust ADD COLUMN freshness BLOB;  -- envelope; NULL: none for this policy
