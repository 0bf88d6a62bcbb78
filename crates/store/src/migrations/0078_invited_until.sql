-- Until when the link works that the primary IT admin of a customer tenant was sent last; null once they have joined, once
-- the tenant is answered for, and where nobody was invited.
ALTER TABLE customers ADD COLUMN invited_until BIGINT;
-- Ended invitations are forgotten after a while: what was sent when the tenant was made worked for a week.
UPDATE customers SET invited_until = COALESCE(
    (SELECT MAX(i.ends_at) FROM invitations i WHERE i.home = customers.tenant AND i.role = 'it_admin'),
    created_at + 604800000000)
WHERE assignment = 'invited' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.home = customers.tenant);
