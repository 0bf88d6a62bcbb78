-- A customer reads from the placement log what came to it and what left it.
CREATE INDEX placement_log_of_cause ON placement_log (cause_id) WHERE cause_id IS NOT NULL;
