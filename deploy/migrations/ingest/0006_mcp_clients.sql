-- A row is how an authorization server of an MCP server registered us, sealed. It belongs to no customer: its workspace is
-- the installation's. What one issuer gave is shown to no other.
CREATE TABLE ingest.mcp_client (
    workspace uuid NOT NULL,
    issuer text NOT NULL,
    sealed bytea NOT NULL,
    kept_at timestamptz NOT NULL,
    PRIMARY KEY (workspace, issuer)
);
SELECT well.isolate('ingest.mcp_client', 'well_ingest');

-- While a process refreshes a grant, no other one does, until then at the latest.
ALTER TABLE ingest.mcp_grant ADD COLUMN refreshing_until timestamptz;
