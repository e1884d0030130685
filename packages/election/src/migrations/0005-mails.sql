-- Which row of a poll's roll was sent a mail, and when: somebody who asks again and again must not fill another's mailbox.
CREATE TABLE sent_mails (
  poll_id text NOT NULL REFERENCES polls (id),
  code_id text NOT NULL,
  at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sent_mails_by_row ON sent_mails (poll_id, code_id, at);
