-- Alerts, pop-ups and repair cases.

-- A condition of one PC; it follows the PC, and nothing of a person is in it. `suspected` has not been seen often enough
-- yet. `gone` counts check-ins in which it was not seen any more. `repair` says that a case was made of it, without
-- saying whose.
CREATE TABLE alerts (
    id UUID PRIMARY KEY,
    device UUID NOT NULL REFERENCES devices (id),
    tenant UUID NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    source TEXT NOT NULL CHECK (source IN ('agent', 'monitor', 'platform')),
    detail TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('suspected', 'open', 'closed')),
    seen BIGINT NOT NULL,
    gone BIGINT NOT NULL,
    repair TEXT CHECK (repair IN ('open', 'done')),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE UNIQUE INDEX one_alert_a_cause ON alerts (device, kind, cause) WHERE state <> 'closed';
CREATE INDEX alerts_of_device ON alerts (device, id);
CREATE INDEX alerts_of_tenant ON alerts (tenant, id) WHERE state = 'open';

-- The number of the last thing told to a PC. Its row is locked by whoever tells it something, so that the numbers of one
-- PC rise in the order of the commits.
CREATE TABLE device_channels (
    device UUID PRIMARY KEY REFERENCES devices (id),
    seq BIGINT NOT NULL
);

CREATE TABLE pop_ups (
    id UUID PRIMARY KEY,
    alert UUID NOT NULL REFERENCES alerts (id),
    device UUID NOT NULL REFERENCES devices (id),
    seq BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'submitted', 'withdrawn', 'expired')),
    reason TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    displayed_at BIGINT,
    viewed_at BIGINT,
    dismissed_at BIGINT
);
CREATE UNIQUE INDEX one_open_pop_up_an_alert ON pop_ups (alert) WHERE state = 'open';
CREATE INDEX pop_ups_of_device ON pop_ups (device, seq);
CREATE INDEX pop_ups_due ON pop_ups (expires_at) WHERE state = 'open';

-- Requests to repair one PC. tenant, partner and generation are those of the moment in which it was opened, and so is
-- the desk unless it was handed over. submitted is the id that the PC made for it.
CREATE TABLE repair_cases (
    id UUID PRIMARY KEY,
    number TEXT NOT NULL,
    device UUID NOT NULL REFERENCES devices (id),
    device_seq BIGINT NOT NULL,
    serial TEXT NOT NULL,
    model TEXT NOT NULL,
    product_number TEXT NOT NULL,
    support_level TEXT,
    tenant UUID NOT NULL,
    generation BIGINT NOT NULL,
    partner UUID,
    partner_name TEXT NOT NULL,
    alert UUID,
    kind TEXT NOT NULL,
    found TEXT NOT NULL,
    pop_up UUID,
    submitted UUID,
    opener TEXT NOT NULL CHECK (opener IN ('user', 'partner', 'customer', 'desk')),
    opener_home UUID,
    opener_note TEXT NOT NULL,
    desk TEXT NOT NULL CHECK (desk IN ('customer_support', 'csdp')),
    desk_partner UUID,
    desk_reason TEXT NOT NULL,
    handed_over TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('new', 'claimed', 'waiting_for_user', 'scheduled', 'in_repair', 'closed', 'cancelled')),
    assignee UUID,
    contact_name TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    message TEXT NOT NULL,
    preferred_times TEXT NOT NULL,
    language TEXT NOT NULL,
    appointment_from BIGINT,
    appointment_until BIGINT,
    appointment_zone TEXT,
    appointment_note TEXT,
    question TEXT,
    result TEXT,
    failure_code TEXT,
    merged_into UUID,
    claim_reference TEXT,
    claimed_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX repair_case_number ON repair_cases (number);
-- However often it is sent: one case a pop-up, and one for what the PC sent under one id.
CREATE UNIQUE INDEX one_case_a_pop_up ON repair_cases (pop_up) WHERE pop_up IS NOT NULL;
CREATE UNIQUE INDEX one_case_a_submit ON repair_cases (device, submitted) WHERE submitted IS NOT NULL;
CREATE INDEX repair_cases_of_device ON repair_cases (device, device_seq);
CREATE INDEX repair_cases_of_desk ON repair_cases (desk, desk_partner, id);
CREATE INDEX repair_cases_of_partner ON repair_cases (partner, id);
CREATE INDEX repair_cases_of_tenant ON repair_cases (tenant, id);

-- What the desk wrote for itself (note), asked the user, and was answered.
CREATE TABLE repair_notes (
    id UUID PRIMARY KEY,
    repair_case UUID NOT NULL REFERENCES repair_cases (id),
    kind TEXT NOT NULL CHECK (kind IN ('note', 'question', 'answer', 'handed_over')),
    body TEXT NOT NULL,
    actor UUID,
    at BIGINT NOT NULL
);
CREATE INDEX repair_notes_of_case ON repair_notes (repair_case, id);

-- Ordered parts. A reference that was used before would ship nothing: it is refused. desk is the code of the account.
CREATE TABLE repair_parts (
    id UUID PRIMARY KEY,
    repair_case UUID NOT NULL REFERENCES repair_cases (id),
    desk TEXT NOT NULL,
    order_reference TEXT NOT NULL,
    part TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_order_a_reference ON repair_parts (desk, order_reference);
CREATE INDEX repair_parts_of_case ON repair_parts (repair_case, id);

-- Whether a customer tenant's cases go to customer support, whatever its partner is.
ALTER TABLE customers ADD COLUMN cases_to_support BOOLEAN NOT NULL DEFAULT FALSE;
