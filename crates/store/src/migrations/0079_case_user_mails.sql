-- Whether the user wants no mails about their case, and the secret of the link by which they say so. It stands here as it is,
-- since each mail of the case carries it; all that it does is to end them.
ALTER TABLE repair_cases ADD COLUMN mails_muted BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE repair_cases ADD COLUMN mute_secret TEXT;
CREATE UNIQUE INDEX repair_case_mute_secret ON repair_cases (mute_secret) WHERE mute_secret IS NOT NULL;
