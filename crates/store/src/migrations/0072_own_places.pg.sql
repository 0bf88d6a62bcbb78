REVOKE ALL ON own_places FROM roadstead_app;
GRANT SELECT ON own_places TO roadstead_app;
