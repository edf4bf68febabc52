The server's database: one deployment's agents, actions, commands, results, and who did what.
Interface and rules: server_reader.h, server_tx.h. Times are milliseconds since 1970 (UTC) by the
server's clock unless said otherwise; ids are base32 text where people or targets meet them.
`shard` and `lease_*` let several schedulers divide the work. Released steps never change: add one.

-- migration 1: agents, actions, commands, results, people
CREATE TABLE agents (
  row INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of enrolment
  id TEXT NOT NULL UNIQUE,                -- hash of the key
  key BLOB NOT NULL,                      -- Ed25519, 32 bytes
  shard INTEGER NOT NULL,                 -- first byte of the id
  name TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'offline',     -- online idle offline
  version TEXT NOT NULL DEFAULT '',
  environment TEXT NOT NULL DEFAULT '{}',     -- JSON
  tags TEXT NOT NULL DEFAULT '{}',            -- JSON
  loader TEXT,                                -- loaders.name that keeps it up to date
  enrolled INTEGER NOT NULL,
  heartbeattime INTEGER NOT NULL DEFAULT 0,
  started INTEGER NOT NULL DEFAULT 0,         -- agent's clock
  alive INTEGER NOT NULL DEFAULT 0,           -- last signed word of any sort
  connected INTEGER NOT NULL DEFAULT 0,
  relay TEXT NOT NULL DEFAULT '',             -- where the last `on` came from
  newest INTEGER NOT NULL DEFAULT 0,          -- agent's clock: newest word; what is older is a replay
  on_time INTEGER NOT NULL DEFAULT 0,         -- agent's clock: newest `on`
  on_before INTEGER NOT NULL DEFAULT 0,       -- and the one before
  off_time INTEGER NOT NULL DEFAULT 0,
  boot TEXT NOT NULL DEFAULT '',              -- process that spoke last
  boot_since INTEGER NOT NULL DEFAULT 0,      -- agent's clock: its first word
  boot_returns INTEGER NOT NULL DEFAULT 0,    -- how often an earlier process spoke again
  cloned INTEGER,                             -- when two were first seen to speak by turns
  policy INTEGER NOT NULL DEFAULT 0,
  sandbox TEXT NOT NULL DEFAULT '',
  ledger_length INTEGER NOT NULL DEFAULT 0,
  ledger_head BLOB NOT NULL DEFAULT x''
);
CREATE INDEX agents_by_status ON agents(status, alive);

-- The processes that used an agent's identity, newest few: what tells copies apart.
CREATE TABLE agent_boots (
  agent INTEGER NOT NULL REFERENCES agents(row),
  boot TEXT NOT NULL,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (agent, boot)
) WITHOUT ROWID;

CREATE TABLE agents_stats (
  time INTEGER PRIMARY KEY,
  online INTEGER NOT NULL,
  idle INTEGER NOT NULL,
  offline INTEGER NOT NULL,
  enrolled INTEGER NOT NULL,   -- in the last 24 hours
  vanished INTEGER NOT NULL,   -- offline, and heard of in the last 7 days
  cloned INTEGER NOT NULL,
  by_version TEXT NOT NULL     -- JSON: version -> not offline
);

CREATE TABLE enrolment_tokens (
  hash BLOB PRIMARY KEY,  -- SHA-256: the token itself is never stored
  uses_left INTEGER NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  note TEXT NOT NULL
);

CREATE TABLE actions (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  shard INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  validfrom INTEGER NOT NULL,
  expireafter INTEGER NOT NULL,
  limit_bytes INTEGER NOT NULL,
  stops TEXT,                   -- actions.id, which may not be here (yet)
  stopped_by TEXT,              -- actions.id of the stop
  received INTEGER NOT NULL,
  started INTEGER,
  updated INTEGER NOT NULL,
  finished INTEGER,
  detail TEXT NOT NULL DEFAULT '',
  lease_owner TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  digest BLOB NOT NULL,         -- SHA-256 of the payload
  envelope BLOB NOT NULL        -- last: lists do not read it
);
CREATE INDEX actions_open ON actions(expireafter)
  WHERE status IN ('pending', 'scheduled', 'preparing', 'inflight');
CREATE INDEX actions_by_stops ON actions(stops) WHERE stops IS NOT NULL;

CREATE TABLE signatures (
  action INTEGER NOT NULL REFERENCES actions(row),
  person TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (action, key)
) WITHOUT ROWID;

CREATE TABLE commands (
  row INTEGER PRIMARY KEY,
  action INTEGER NOT NULL REFERENCES actions(row),
  agent INTEGER NOT NULL REFERENCES agents(row),
  shard INTEGER NOT NULL,
  status TEXT NOT NULL,
  code TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT '',
  found INTEGER,              -- null: not known yet
  late INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER,                -- to be sent then; null: not until somebody says so
  prepared INTEGER NOT NULL,
  sent INTEGER,
  answered INTEGER,
  finished INTEGER,
  finish INTEGER,             -- counts up over all commands as they become final
  parts INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER,           -- of the part marked `last`
  last_status TEXT,           -- and what it said
  lease_owner TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  UNIQUE (action, agent)
);
CREATE INDEX commands_by_status ON commands(action, status, late, found);  -- counters need no more
CREATE INDEX commands_due ON commands(due) WHERE due IS NOT NULL;
CREATE INDEX commands_finished ON commands(action, finish) WHERE finish IS NOT NULL;
CREATE INDEX commands_open ON commands(agent)
  WHERE status IN ('prepared', 'sent', 'received', 'running');

CREATE TABLE results (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  action INTEGER NOT NULL REFERENCES actions(row),
  agent INTEGER NOT NULL REFERENCES agents(row),
  seq INTEGER NOT NULL,
  last INTEGER NOT NULL,
  late INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  digest BLOB NOT NULL,       -- SHA-256 of the payload
  envelope BLOB NOT NULL,
  UNIQUE (action, agent, seq)
);
CREATE INDEX results_by_action ON results(action);

-- Numbers that count up over a whole table: `finish` of commands.
CREATE TABLE sequences (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO sequences VALUES ('finish', 0);

CREATE TABLE people (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  active INTEGER NOT NULL,
  keys TEXT NOT NULL,         -- JSON array of key ids
  updated INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,        -- fingerprint of the key
  key BLOB NOT NULL,
  person TEXT NOT NULL,
  validfrom INTEGER NOT NULL,
  expireafter INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE nonces (
  key TEXT NOT NULL,
  nonce TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (key, nonce)
) WITHOUT ROWID;
CREATE INDEX nonces_by_until ON nonces(until);

CREATE TABLE api_keys (
  hash BLOB PRIMARY KEY,      -- SHA-256: the key itself is never stored
  name TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  active INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

CREATE TABLE loaders (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  key_hash BLOB NOT NULL UNIQUE,
  agent_name TEXT NOT NULL DEFAULT '',
  environment TEXT NOT NULL DEFAULT '{}',
  tags TEXT NOT NULL DEFAULT '{}',
  expects TEXT NOT NULL DEFAULT '',   -- target that its environment must meet
  enabled INTEGER NOT NULL DEFAULT 0,
  seen INTEGER
);

CREATE TABLE manifests (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'staged',  -- staged active disabled
  created INTEGER NOT NULL,
  envelope BLOB NOT NULL                  -- signed, signatures included
);

CREATE TABLE audit_log (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  event TEXT NOT NULL,
  object TEXT NOT NULL,
  facts TEXT NOT NULL         -- JSON
);

-- migration 2: several people: rejections, proposals, audiences
-- Who ended an action that waited for signatures.
CREATE TABLE rejections (
  action INTEGER PRIMARY KEY REFERENCES actions(row),
  person TEXT NOT NULL,
  reason TEXT NOT NULL,
  time INTEGER NOT NULL
);

-- What the server would like done. No order: a person who agrees signs an action with this id.
CREATE TABLE proposals (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,      -- of the action that it may become
  subject TEXT NOT NULL,        -- what it is about: one open or rejected proposal for each
  proposer TEXT NOT NULL,       -- role of the server
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  operations TEXT NOT NULL,     -- JSON array, as in an action
  reason TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'open',  -- open approved rejected
  person TEXT NOT NULL DEFAULT '',      -- who approved or rejected it
  detail TEXT NOT NULL DEFAULT '',      -- why, when rejected
  closed INTEGER
);
CREATE UNIQUE INDEX proposals_by_subject ON proposals(subject) WHERE status != 'approved';

-- The agents that the signers of a `respond` or `admin` action were shown.
CREATE TABLE audiences (
  action INTEGER PRIMARY KEY REFERENCES actions(row),
  ids BLOB NOT NULL             -- 32 bytes each, ascending: the leaves of the signed root
);

-- migration 3: agents watched: ledgers that go back, copies of one machine
ALTER TABLE agents ADD COLUMN ledger_time INTEGER NOT NULL DEFAULT 0;  -- agent's clock: last word that said ledger_length
ALTER TABLE agents ADD COLUMN ledger_back INTEGER;                     -- when its ledger was first seen to go back
ALTER TABLE agents ADD COLUMN ledger_before INTEGER NOT NULL DEFAULT 0;  -- and how long it was before
ALTER TABLE agents ADD COLUMN host TEXT NOT NULL DEFAULT '';           -- the running system: who shares it is on one machine
ALTER TABLE agents ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;
CREATE INDEX agents_by_host ON agents(host) WHERE host != '';

-- migration 4: policies that were published, with the roots they rest on, and how fresh they are
-- Envelopes as they were signed. Files beside the configuration come first; what is newer goes before.
CREATE TABLE roots (
  version INTEGER PRIMARY KEY,
  envelope BLOB NOT NULL,
  stored INTEGER NOT NULL
);

CREATE TABLE policies (
  version INTEGER NOT NULL,
  root_version INTEGER NOT NULL,  -- one policy can be signed again under a newer root
  envelope BLOB NOT NULL,
  stored INTEGER NOT NULL,
  PRIMARY KEY (version, root_version)
);

-- The newest statement about each policy version.
CREATE TABLE freshness (
  policy INTEGER PRIMARY KEY,   -- policies.version, or that of the file
  time INTEGER NOT NULL,        -- what the statement says
  envelope BLOB NOT NULL,
  stored INTEGER NOT NULL
);

-- migration 5: enrolment tokens with grants; tags come from these alone
ALTER TABLE enrolment_tokens ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;    -- in all
ALTER TABLE enrolment_tokens ADD COLUMN envelope BLOB;                      -- the grant; null: without tags
ALTER TABLE enrolment_tokens ADD COLUMN person TEXT NOT NULL DEFAULT '';    -- who made it
ALTER TABLE enrolment_tokens ADD COLUMN ready INTEGER NOT NULL DEFAULT 1;   -- 0: more people must sign
ALTER TABLE enrolment_tokens ADD COLUMN revoked INTEGER;
ALTER TABLE agents ADD COLUMN token BLOB;  -- hash of the token that it enrolled with last
-- Tokens lapse and go; what agents were granted stays.
CREATE TABLE grants (
  token BLOB PRIMARY KEY,
  envelope BLOB NOT NULL
) WITHOUT ROWID;
UPDATE agents SET tags = '{}';  -- what they had said themselves

-- migration 6: what agents said and was not taken, by reason (roles/scheduler/intake.h)
CREATE TABLE not_taken (
  flaw TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  agent TEXT NOT NULL,   -- whose topic the last one came on; empty: of no agent
  first INTEGER NOT NULL,
  last INTEGER NOT NULL
) WITHOUT ROWID;
