-- When a desk works, by the clock of its place: seven days from Monday on, each 08:00-17:00 or empty, apart by commas. A
-- desk without a row has not said.
CREATE TABLE desk_hours (
    desk TEXT PRIMARY KEY,
    partner UUID,
    time_zone TEXT NOT NULL,
    days TEXT NOT NULL
);

-- What a desk has to do on a day.
CREATE INDEX repair_appointments ON repair_cases (desk, desk_partner, appointment_from) WHERE appointment_from IS NOT NULL;
