-- Rows may be longer now: with half of a page left, two generations of its rows fit in.
ALTER TABLE check_ins SET (fillfactor = 50);
