ALTER TABLE polls
  -- set before the opening is written to the log: from then on nothing that voters decide on changes
  ADD COLUMN frozen_at timestamptz,
  -- how often the poll was extended, and how many of these the log has in every partition
  ADD COLUMN extensions          integer NOT NULL DEFAULT 0,
  ADD COLUMN extensions_recorded integer NOT NULL DEFAULT 0,
  -- the short link: /s/<short_code>
  ADD COLUMN short_code text UNIQUE;
UPDATE polls SET frozen_at = opened_at, short_code = substr(md5(id), 1, 8);
