-- Whether a person wants mails about support and repair cases.
ALTER TABLE users ADD COLUMN case_mails BOOLEAN NOT NULL DEFAULT TRUE;
