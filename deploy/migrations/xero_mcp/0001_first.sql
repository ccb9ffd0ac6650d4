-- A row is a program that registered itself (RFC 7591). It belongs to no customer: its workspace is the installation's.
-- `used_at` is when a person last allowed it something.
CREATE TABLE xero_mcp.client (
    workspace uuid NOT NULL,
    id text NOT NULL,
    metadata bytea NOT NULL,
    made_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (workspace, id)
);
SELECT well.isolate('xero_mcp.client', 'well_xero_mcp');

-- A row is one opaque token: a request that waits for a person, a code, an access token or a refresh token. Only its
-- SHA-256 is here. All that came from one consent share a family, and end together.
CREATE TABLE xero_mcp.token (
    workspace uuid NOT NULL,
    sha256 bytea NOT NULL,
    kind text NOT NULL CHECK (kind IN ('request', 'code', 'access', 'refresh')),
    family uuid NOT NULL,
    client text NOT NULL,
    content bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    spent_at timestamptz,
    PRIMARY KEY (workspace, sha256)
);
CREATE INDEX token_family ON xero_mcp.token (workspace, family);
CREATE INDEX token_by_age ON xero_mcp.token (workspace, expires_at);
SELECT well.isolate('xero_mcp.token', 'well_xero_mcp');
