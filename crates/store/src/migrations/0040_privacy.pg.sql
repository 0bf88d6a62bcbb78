GRANT SELECT, INSERT, UPDATE, DELETE ON possessions TO roadstead_app;
ALTER TABLE possessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE possessions FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON possessions USING (roadstead_reach() = 'platform');
CREATE POLICY placed ON possessions FOR SELECT USING (
    roadstead_reach() IN ('partner', 'customer')
    AND (SELECT true FROM placements p WHERE p.device = possessions.device));
-- Of persons: only whoever has the PC now, of its own time with it, and only once it has been shown to have it.
DROP POLICY placed ON personal_data;
CREATE POLICY placed ON personal_data FOR SELECT USING (
    roadstead_reach() IN ('partner', 'customer')
    AND (SELECT true FROM placements p JOIN tenants t ON t.id = p.tenant
         JOIN possessions o ON o.device = p.device AND o.generation = p.generation
         WHERE p.device = personal_data.device AND p.generation = personal_data.generation
         AND t.kind = 'customer'));
