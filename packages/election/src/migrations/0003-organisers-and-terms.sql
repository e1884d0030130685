-- Who organises polls. `operator` is whoever has the organiser token: the polls that were there before are its own.
CREATE TABLE organisers (
  id         text PRIMARY KEY,
  name       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO organisers (id, name) VALUES ('operator', 'Operator');

ALTER TABLE polls
  ADD COLUMN owner_id text NOT NULL DEFAULT 'operator' REFERENCES organisers (id),
  -- a draft is its owner's alone: it has no ballot page, no results and nothing in the log
  ADD COLUMN is_draft boolean NOT NULL DEFAULT false,
  ADD COLUMN max_choices integer NOT NULL DEFAULT 1 CHECK (max_choices >= 1),
  ADD COLUMN allow_blank boolean NOT NULL DEFAULT false,
  -- "live", "after-voting", "after-close" or { "from": voters }: poll-terms.ts
  ADD COLUMN results_visible jsonb NOT NULL DEFAULT '"live"',
  -- { "kind": "link" | "codes" | "addresses" | "claim", … }: poll-terms.ts
  ADD COLUMN eligibility jsonb NOT NULL DEFAULT '{"kind":"codes"}',
  -- the polls that were cloned from each other are the runs of one series, named by the first of them, which has null here
  ADD COLUMN series_id text REFERENCES polls (id),
  ADD COLUMN clone_of text REFERENCES polls (id),
  ADD COLUMN run integer NOT NULL DEFAULT 1;
CREATE INDEX polls_by_owner ON polls (owner_id);
CREATE UNIQUE INDEX polls_by_series ON polls (coalesce(series_id, id), run);

-- What was done to a poll, by whom, and why. Kinds: created, changed, published, opened, extended, closed, codes-issued,
-- addresses-listed, cloned. Those that voters have a right to know of (is_public) may be shown with the results.
CREATE TABLE poll_events (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  poll_id   text NOT NULL REFERENCES polls (id),
  at        timestamptz NOT NULL DEFAULT now(),
  kind      text NOT NULL,
  -- null: the system, at the time that was set
  actor_id  text REFERENCES organisers (id),
  is_public boolean NOT NULL,
  details   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX poll_events_by_poll ON poll_events (poll_id, id);
