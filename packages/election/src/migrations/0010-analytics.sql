-- Written by the tally's sink only: the newest value of each key of the topic `analytics`. Minutes and standings of polls
-- that are over are what later ones are compared with.
CREATE TABLE analytics (
  poll_id  text NOT NULL,
  kind     text NOT NULL,
  start_ms bigint NOT NULL,
  epoch    bigint NOT NULL,
  version  bigint NOT NULL,
  document jsonb NOT NULL,
  revision bigint NOT NULL,
  PRIMARY KEY (poll_id, kind, start_ms)
);
CREATE INDEX analytics_by_revision ON analytics (revision);
