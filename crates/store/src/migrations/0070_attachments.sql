-- Files that go with messages of support cases, in pieces as reports are. Their pieces go a while after the case was
-- closed; what was there, stays.
CREATE TABLE support_attachments (
    id UUID PRIMARY KEY,
    support_case UUID NOT NULL REFERENCES support_cases (id),
    message UUID NOT NULL REFERENCES support_messages (id),
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    forgotten_at BIGINT
);
CREATE INDEX support_attachments_of_case ON support_attachments (support_case, id);

CREATE TABLE support_attachment_pieces (
    attachment UUID NOT NULL REFERENCES support_attachments (id),
    piece BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (attachment, piece)
);
