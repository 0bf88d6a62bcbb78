-- PCs that speak for themselves: cPINs, keys, enrolments, check-ins.

-- cPINs of a customer tenant. The code is kept readable, since the customer reads it in its settings: it only opens the
-- door. made_by is the side that made it, maker the user or token; used_by is the serial that it enrolled last.
CREATE TABLE cpins (
    id UUID PRIMARY KEY,
    customer UUID NOT NULL REFERENCES tenants (id),
    code TEXT NOT NULL,
    made_by TEXT NOT NULL CHECK (made_by IN ('partner', 'customer')),
    maker UUID,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    most_uses BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    used_at BIGINT,
    used_by TEXT
);
CREATE UNIQUE INDEX cpin_code ON cpins (code);
CREATE INDEX cpins_of_customer ON cpins (customer, id);

-- Wrong guesses by hour: one row a network, one for all together ('all'). In the same way new enrolments that concern
-- nobody are counted, with 'unknown ' before the network and before 'all'.
CREATE TABLE cpin_guesses (
    hour BIGINT NOT NULL,
    network TEXT NOT NULL,
    wrong BIGINT NOT NULL,
    PRIMARY KEY (hour, network)
);

-- The second factor: where a customer names its domains, a PC of another one is asked to confirm.
CREATE TABLE customer_domains (
    customer UUID NOT NULL REFERENCES tenants (id),
    domain TEXT NOT NULL,
    PRIMARY KEY (customer, domain)
);

-- Serials that enrol into a customer tenant without a cPIN.
CREATE TABLE zero_touch_serials (
    serial TEXT NOT NULL,
    customer UUID NOT NULL REFERENCES tenants (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (serial, customer)
);
CREATE INDEX zero_touch_of_customer ON zero_touch_serials (customer, serial);

-- A PC's key, base64url; a released second key takes the place of the first. `proof` says by what it was believed, and
-- `generation` in which placement: personal data of a generation opens to nothing less than its own proof.
CREATE TABLE device_keys (
    public_key TEXT PRIMARY KEY,
    device UUID NOT NULL REFERENCES devices (id),
    proof TEXT NOT NULL CHECK (proof IN ('serial', 'zero_touch', 'cpin', 'released')),
    generation BIGINT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    replaced_at BIGINT
);
CREATE UNIQUE INDEX one_key_a_device ON device_keys (device) WHERE replaced_at IS NULL;

-- Every key that asked to join, with what came of it. What waits is quarantine: nobody's list shows it. The halves say
-- who sees it: the holder's side and the customer's side, each without the other's name.
CREATE TABLE enrolments (
    id UUID PRIMARY KEY,
    public_key TEXT NOT NULL,
    serial TEXT NOT NULL,
    product_number TEXT NOT NULL,
    domain TEXT NOT NULL,
    device UUID,
    cpin UUID,
    customer UUID,
    customer_partner UUID,
    holder UUID,
    holder_partner UUID,
    state TEXT NOT NULL CHECK (state IN ('enrolled', 'waiting', 'refused')),
    reason TEXT,
    confirmed BOOLEAN NOT NULL,
    released_by_holder BOOLEAN NOT NULL,
    released_by_customer BOOLEAN NOT NULL,
    tries BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_enrolment_a_key_and_serial ON enrolments (public_key, serial);
CREATE INDEX enrolments_of_serial ON enrolments (serial) WHERE state = 'waiting';
CREATE INDEX enrolments_waiting ON enrolments (id) WHERE state = 'waiting';
CREATE INDEX enrolments_of_customer ON enrolments (customer, id) WHERE state = 'waiting';
CREATE INDEX enrolments_of_customer_partner ON enrolments (customer_partner, id) WHERE state = 'waiting';
CREATE INDEX enrolments_of_holder ON enrolments (holder, id) WHERE state = 'waiting';
CREATE INDEX enrolments_of_holder_partner ON enrolments (holder_partner, id) WHERE state = 'waiting';

-- Requests of devices that were seen, so that none is taken twice. `slot` is the signature's own time in steps, which
-- it covers: a replay falls into the same one, and old slots are forgotten whole.
CREATE TABLE device_nonces (
    slot BIGINT NOT NULL,
    nonce UUID NOT NULL,
    PRIMARY KEY (slot, nonce)
);

-- The last check-in of a PC: what the machine said of itself. Nothing of a person is in here, and nothing of where the
-- PC is placed: a check-in can neither move a PC nor outlive a move in another's sight.
CREATE TABLE check_ins (
    device UUID PRIMARY KEY REFERENCES devices (id),
    seen_at BIGINT NOT NULL,
    agent TEXT NOT NULL,
    readings TEXT NOT NULL
);

-- What a customer lets the agent tell of persons. Without a row, nothing; in a pool never anything.
CREATE TABLE customer_privacy (
    customer UUID PRIMARY KEY REFERENCES tenants (id),
    collect_user BOOLEAN NOT NULL,
    collect_location BOOLEAN NOT NULL
);

-- What is known of persons at a PC, by generation: whoever has the PC next finds nothing of it.
CREATE TABLE personal_data (
    device UUID NOT NULL REFERENCES devices (id),
    generation BIGINT NOT NULL,
    last_user TEXT,
    location TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (device, generation)
);
