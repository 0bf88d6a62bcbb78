-- An owner that is no superuser meets the forced walls, too, and has changed no row yet: once more, as the platform.
SET LOCAL roadstead.reach = 'platform';
UPDATE customers SET invited_until = COALESCE(
    (SELECT MAX(i.ends_at) FROM invitations i WHERE i.home = customers.tenant AND i.role = 'it_admin'),
    created_at + 604800000000)
WHERE assignment = 'invited' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.home = customers.tenant);
SET LOCAL roadstead.reach = '';
