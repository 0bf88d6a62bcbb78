-- For the list of the alerts that are over.
CREATE INDEX closed_alerts_of_tenant ON alerts (tenant, id) WHERE state = 'closed';
-- Whatever their state, so that this is the one index by which they can be found by their serial.
CREATE INDEX enrolments_by_serial ON enrolments (serial);
DROP INDEX enrolments_of_serial;
