-- Customer tenants. tenants.parent of a customer is the partner that manages it: null until one is accepted, and
-- again when the customer has ended it.
CREATE TABLE customers (
    tenant UUID PRIMARY KEY REFERENCES tenants (id),
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    city TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country TEXT NOT NULL,
    admin_first_name TEXT NOT NULL,
    admin_last_name TEXT NOT NULL,
    admin_email TEXT NOT NULL,
    admin_phone TEXT NOT NULL,
    identity_provider TEXT NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('premium', 'premium_plus')),
    management TEXT NOT NULL CHECK (management IN ('customer', 'partner')),
    preset TEXT NOT NULL CHECK (preset IN ('default', 'off_when_allowed')),
    -- The partner that asks, is asked or manages; null when nobody does.
    partner UUID REFERENCES partners (tenant),
    assignment TEXT NOT NULL CHECK (assignment IN ('invited', 'requested', 'accepted', 'declined', 'ended')),
    -- Whether the partner may look into the tenant and move PCs, as the customer set it.
    partner_access BOOLEAN NOT NULL,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX customer_number ON customers (number);
CREATE INDEX customers_of_partner ON customers (partner, name, tenant);
CREATE INDEX tenants_of_parent ON tenants (parent);

-- What moved a PC where it was no report line: `transfer`, `undo`, `decline` or `enrolment`, and its id.
ALTER TABLE placement_log ADD COLUMN cause TEXT;
ALTER TABLE placement_log ADD COLUMN cause_id UUID;
