-- The relay's database: what its broker must not forget. Times are milliseconds since 1970 in UTC.
-- Steps are never changed once released; add the next one at the end.

-- migration 1: sessions, queues, retained messages

-- One row for each client that wants to be remembered. Ids are shared with share_groups: both have
-- a queue.
CREATE TABLE sessions (
  id         INTEGER PRIMARY KEY,
  client_id  TEXT    NOT NULL,
  role       TEXT    NOT NULL,    -- of the certificate that made it
  peer       TEXT    NOT NULL,
  expiry     INTEGER NOT NULL,    -- seconds
  away_since INTEGER,             -- NULL: connected
  will_topic      TEXT,           -- NULL: no will
  will_payload    BLOB,
  will_qos        INTEGER,
  will_retain     INTEGER,
  will_properties BLOB            -- as in CONNECT, without their length
);

CREATE TABLE subscriptions (
  session    INTEGER NOT NULL,
  filter     TEXT    NOT NULL,    -- with $share/NAME/
  options    INTEGER NOT NULL,    -- the options byte of SUBSCRIBE
  identifier INTEGER NOT NULL,    -- 0: none
  PRIMARY KEY (session, filter)
) WITHOUT ROWID;

CREATE TABLE share_groups (
  id     INTEGER PRIMARY KEY,
  filter TEXT    NOT NULL
);

-- A message stands here once, however many queues it waits in.
CREATE TABLE messages (
  id         INTEGER PRIMARY KEY,
  topic      TEXT    NOT NULL,
  payload    BLOB    NOT NULL,
  properties BLOB    NOT NULL,    -- what receivers get, encoded
  qos        INTEGER NOT NULL,
  retain     INTEGER NOT NULL,
  expires_at INTEGER,
  refs       INTEGER NOT NULL     -- rows of queue; 0 deletes the message
);

CREATE TABLE queue (
  queue       INTEGER NOT NULL,
  sequence    INTEGER NOT NULL,
  message     INTEGER NOT NULL,
  qos         INTEGER NOT NULL,   -- of this delivery
  retain      INTEGER NOT NULL,
  identifiers BLOB    NOT NULL,   -- of subscriptions, four bytes each
  size        INTEGER NOT NULL,   -- what the queue is charged
  expires_at  INTEGER,
  PRIMARY KEY (queue, sequence)
) WITHOUT ROWID;

CREATE TABLE retained (
  topic      TEXT    NOT NULL UNIQUE,
  message    INTEGER NOT NULL,
  payload    BLOB    NOT NULL,
  properties BLOB    NOT NULL,
  qos        INTEGER NOT NULL,
  expires_at INTEGER
);

-- migration 2: QoS 2, and whose right a retained message needs

-- Packet identifiers under which a client's QoS 2 messages came, until its PUBREL.
CREATE TABLE received (
  session   INTEGER NOT NULL,
  packet_id INTEGER NOT NULL,
  PRIMARY KEY (session, packet_id)
) WITHOUT ROWID;

-- Packet identifiers under which a client's QoS 2 rows are sent, until its PUBCOMP.
CREATE TABLE sending (
  session   INTEGER NOT NULL,
  packet_id INTEGER NOT NULL,
  sequence  INTEGER NOT NULL,     -- of the row in queue; 0: the row is gone, PUBREL is due
  PRIMARY KEY (session, packet_id)
) WITHOUT ROWID;

ALTER TABLE retained ADD COLUMN role TEXT NOT NULL DEFAULT '';
ALTER TABLE retained ADD COLUMN peer TEXT NOT NULL DEFAULT '';

-- migration 3: a million messages

-- What has expired is found without a look at what has not.
CREATE INDEX queue_expiry ON queue (expires_at) WHERE expires_at IS NOT NULL;

-- Queues whose owner is gone and whose rows are deleted bit by bit.
CREATE TABLE dropped_queues (
  queue INTEGER PRIMARY KEY
);

-- migration 4: since when a message waits

ALTER TABLE messages ADD COLUMN stored_at INTEGER;    -- NULL: before this column was there
