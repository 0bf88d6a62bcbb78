-- Jobs that were given up are few and looked for by what they were about.
CREATE INDEX jobs_dead ON jobs (subject) WHERE dead;
