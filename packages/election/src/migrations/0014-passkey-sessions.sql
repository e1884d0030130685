-- The passkey that a session was begun with: removing it ends the session.
ALTER TABLE sessions ADD COLUMN credential_id text;
CREATE INDEX sent_mails_by_time ON sent_mails (at);
