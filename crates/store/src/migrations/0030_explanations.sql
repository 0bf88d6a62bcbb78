-- The lines that no rule asks for, rejected ones and word for word repetitions, are found by serial for whoever asks why
-- a PC is missing. A good line is not in it, and costs nothing.
CREATE INDEX report_lines_aside_of_serial ON report_lines (serial)
    WHERE transaction_kind IS NULL OR (verdict = 'duplicate' AND reasons IS NULL);
