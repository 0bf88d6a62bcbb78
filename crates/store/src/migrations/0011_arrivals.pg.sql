CREATE POLICY customer ON placement_log FOR SELECT USING (
    roadstead_reach() = 'customer' AND roadstead_home() IN (from_tenant, to_tenant));
