REVOKE ALL ON own_devices FROM roadstead_app;
GRANT SELECT ON own_devices TO roadstead_app;
