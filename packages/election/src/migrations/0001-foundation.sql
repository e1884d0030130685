-- Ingest admits, the log decides. Nothing here holds a voter code, a choice or a name in the clear.

CREATE TABLE settings (
  name  text PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE polls (
  id              text PRIMARY KEY,
  slug            text NOT NULL UNIQUE,
  title           text NOT NULL,
  -- [{ "id", "label" }] in the organiser's order
  options         jsonb NOT NULL,
  regions         jsonb NOT NULL DEFAULT '[]',
  revote          text NOT NULL CHECK (revote IN ('first', 'last')),
  electorate      integer,
  definition_hash text NOT NULL,
  opens_at        timestamptz NOT NULL,
  closes_at       timestamptz NOT NULL,
  -- k_poll: every HMAC of this poll is made with it; never leaves ingest
  poll_key        bytea NOT NULL,
  -- set once the control record is in every partition of the log
  opened_at       timestamptz,
  closed_at       timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE codes (
  poll_id   text NOT NULL REFERENCES polls (id),
  -- HMAC(k_poll, 'c|' || normalised code)
  code_id   text NOT NULL,
  region    text,
  issued_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (poll_id, code_id)
);

CREATE TABLE claims (
  poll_id     text NOT NULL REFERENCES polls (id),
  ballot_id   text NOT NULL,
  tag         text NOT NULL,
  -- HMAC(k_poll, 'm|' || ballot id || '|' || option)
  choice_mac  text NOT NULL,
  receipt     text NOT NULL,
  state       text NOT NULL CHECK (state IN ('pending', 'recorded')),
  -- true where the poll counts the first ballot only: one claim per voter
  exclusive   boolean NOT NULL,
  claimed_at  timestamptz NOT NULL DEFAULT now(),
  recorded_at timestamptz,
  PRIMARY KEY (poll_id, ballot_id)
);
CREATE UNIQUE INDEX claims_one_per_voter ON claims (poll_id, tag) WHERE exclusive;
CREATE UNIQUE INDEX claims_receipt ON claims (receipt);

-- Written by the tally's sink only. `revision` grows with every change: a viewer asks for what is newer than it has.
CREATE SEQUENCE results_revision;

CREATE TABLE results (
  poll_id  text PRIMARY KEY,
  epoch    bigint NOT NULL,
  version  bigint NOT NULL,
  document jsonb NOT NULL,
  revision bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX results_by_revision ON results (revision);

CREATE TABLE trends (
  poll_id   text NOT NULL,
  window_ms integer NOT NULL,
  start_ms  bigint NOT NULL,
  epoch     bigint NOT NULL,
  version   bigint NOT NULL,
  counts    jsonb NOT NULL,
  revision  bigint NOT NULL,
  PRIMARY KEY (poll_id, window_ms, start_ms)
);
CREATE INDEX trends_by_revision ON trends (revision);

CREATE TABLE receipts (
  receipt   text PRIMARY KEY,
  poll_id   text NOT NULL,
  ballot_id text NOT NULL,
  status    text NOT NULL CHECK (status IN ('counted', 'superseded', 'rejected')),
  reason    text,
  at        timestamptz NOT NULL
);

-- Where the sink goes on reading; changed in the transaction that writes the rows. A topic id that differs from the
-- log's means that the topic was made anew: the sink then begins at its start.
CREATE TABLE sink_positions (
  topic       text NOT NULL,
  partition   integer NOT NULL,
  topic_id    text NOT NULL,
  next_offset bigint NOT NULL,
  PRIMARY KEY (topic, partition)
);
