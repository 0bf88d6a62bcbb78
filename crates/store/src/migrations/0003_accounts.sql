-- What the platform writes to people, made in the transaction that makes it necessary and sent by whichever node comes
-- first. home is the sender's. data is what the text says (JSON); link is a path with a secret in it and is emptied once
-- the mail is sent or given up. Nothing is sent from ends_at on.
CREATE TABLE mails (
    id UUID PRIMARY KEY,
    home UUID,
    recipient TEXT NOT NULL,
    language TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    link TEXT,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    done_at BIGINT
);
CREATE INDEX mails_due ON mails (due_at, id) WHERE state = 'queued';
CREATE INDEX mails_done ON mails (done_at) WHERE state <> 'queued';

-- Who failed how often lately. hashed covers what is counted, the account's address and the network address.
CREATE TABLE throttles (
    hashed BYTEA PRIMARY KEY,
    failures BIGINT NOT NULL,
    paused_until BIGINT NOT NULL,
    tried_at BIGINT NOT NULL
);
CREATE INDEX throttles_tried ON throttles (tried_at);

-- What a person set, null for what their language does by itself; and when they last signed in.
ALTER TABLE users ADD COLUMN time_zone TEXT;
ALTER TABLE users ADD COLUMN date_format TEXT;
ALTER TABLE users ADD COLUMN signed_in_at BIGINT;
CREATE INDEX users_of_home ON users (home, id);

-- From where and with what a session was opened, for its owner alone.
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
CREATE INDEX sessions_of_user ON sessions (user_id, id);

-- Who may become a user of a home. The row is gone once it was accepted or withdrawn, so a link works once. An address is
-- invited by a home once at a time; that another home knows it too is nobody's business.
CREATE TABLE invitations (
    id UUID PRIMARY KEY,
    home UUID,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    language TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitation_secret ON invitations (secret_hash);
CREATE UNIQUE INDEX invitation_of_home ON invitations (home, email_key) WHERE home IS NOT NULL;
CREATE UNIQUE INDEX invitation_of_operator ON invitations (email_key) WHERE home IS NULL;
CREATE INDEX invitations_end ON invitations (ends_at);

-- Who may choose a new password. The row is gone once it was used.
CREATE TABLE password_resets (
    secret_hash BYTEA PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    ends_at BIGINT NOT NULL
);
CREATE INDEX password_resets_of_user ON password_resets (user_id);
CREATE INDEX password_resets_end ON password_resets (ends_at);

-- Status 0 is a request that is being worked on, until claimed_until at most.
ALTER TABLE idempotency_keys ADD COLUMN claimed_until BIGINT;

CREATE INDEX audit_log_by_action ON audit_log (home, action, id);
CREATE INDEX audit_log_by_actor ON audit_log (home, actor, id);
