-- Sessions of organisers and of voters. `audience` is `organiser`, or the id of the poll that a voter has signed in for;
-- `subject` is the organiser's id, or the voter's row of `codes`. The defaults are what earlier versions write.
ALTER TABLE sessions
  ADD COLUMN audience   text NOT NULL DEFAULT 'organiser',
  ADD COLUMN subject    text NOT NULL DEFAULT 'operator',
  -- token, oidc, passkey or mail
  ADD COLUMN method     text NOT NULL DEFAULT 'token',
  ADD COLUMN user_agent text NOT NULL DEFAULT '';
CREATE INDEX sessions_by_subject ON sessions (audience, subject);

-- Who an organiser is for an OpenID provider: issuer and subject, never an address, which may change hands.
CREATE TABLE organiser_identities (
  issuer       text NOT NULL,
  subject      text NOT NULL,
  organiser_id text NOT NULL REFERENCES organisers (id),
  PRIMARY KEY (issuer, subject)
);

CREATE TABLE passkeys (
  credential_id text PRIMARY KEY,
  organiser_id  text NOT NULL REFERENCES organisers (id),
  public_key    bytea NOT NULL,
  -- how often the authenticator says that it was used; one that goes back was copied
  counter       bigint NOT NULL,
  transports    jsonb NOT NULL DEFAULT '[]',
  created_at    timestamptz NOT NULL DEFAULT now(),
  last_used_at  timestamptz
);
CREATE INDEX passkeys_by_organiser ON passkeys (organiser_id);

-- Lets somebody who has no other way in add a passkey to this organiser, once.
CREATE TABLE invitations (
  token_hash   text PRIMARY KEY,
  organiser_id text NOT NULL REFERENCES organisers (id),
  expires_at   timestamptz NOT NULL
);

-- What a sign-in that has begun needs to end: known only to the browser that began it, by a cookie of which this is the hash.
CREATE TABLE sign_in_attempts (
  id_hash    text PRIMARY KEY,
  kind       text NOT NULL,
  data       jsonb NOT NULL,
  failures   integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
