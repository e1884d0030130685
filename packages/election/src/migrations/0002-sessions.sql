-- Organisers' sessions: only a hash of the id is kept, so that reading this table lets nobody in.
CREATE TABLE sessions (
  id_hash      text PRIMARY KEY,
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now()
);
