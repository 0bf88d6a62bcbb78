-- Recall lists of the operator. source says where it is written that these PCs are called back.
CREATE TABLE recall_lists (
    number TEXT PRIMARY KEY,
    part TEXT NOT NULL CHECK (part IN ('battery', 'other')),
    source TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Which PCs: a product or a model, all of it or from one serial to another; what is empty says nothing.
CREATE TABLE recall_ranges (
    id UUID PRIMARY KEY,
    list TEXT NOT NULL REFERENCES recall_lists (number),
    product_number TEXT NOT NULL,
    model TEXT NOT NULL,
    serial_from TEXT NOT NULL,
    serial_to TEXT NOT NULL
);
CREATE INDEX recall_ranges_of_list ON recall_ranges (list, id);

-- The platform's alerts of these lists.
CREATE INDEX alerts_of_recalls ON alerts (cause, device)
    WHERE state <> 'closed' AND source = 'platform' AND kind IN ('battery.recall', 'hardware.recall');
