"""The schemas of the services, one folder each, applied by Alembic."""
