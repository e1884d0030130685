-- Each tally says here every few seconds that it is there, and how far what it has counted is behind the log.
CREATE TABLE tally_pulse (
  member    text PRIMARY KEY,
  at        timestamptz NOT NULL,
  behind_ms bigint NOT NULL
);
