-- What must stand before the first migration, and may be run again at any time.
CREATE SCHEMA IF NOT EXISTS well;

-- The digest of all migrations that were run: one row, or none while some are missing.
CREATE TABLE IF NOT EXISTS well.migrated (fingerprint text NOT NULL);

-- Whoever serves looks first whether its schemas are there.
GRANT USAGE ON SCHEMA well TO PUBLIC;
GRANT SELECT ON well.migrated TO PUBLIC;

-- Closes a table with a workspace column to all but the workspace of the transaction, for its owner too.
-- After a transaction the setting of a pooled connection is an empty string, not null: hence nullif.
CREATE OR REPLACE FUNCTION well.isolate(closed regclass, service_role text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', closed);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', closed);
    EXECUTE format(
        'CREATE POLICY own_workspace ON %s TO %I '
        'USING (workspace = nullif(current_setting(''app.workspace'', true), '''')::uuid) '
        'WITH CHECK (workspace = nullif(current_setting(''app.workspace'', true), '''')::uuid)',
        closed, service_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', closed, service_role);
END
$$;
