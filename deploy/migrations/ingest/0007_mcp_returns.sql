-- A row is a browser that is away to consent, by the SHA-256 of its state: what it brought back, sealed, and how it ended.
CREATE TABLE ingest.mcp_return (
    workspace uuid NOT NULL,
    state bytea NOT NULL,
    sealed bytea,
    ending text,
    until timestamptz NOT NULL,
    PRIMARY KEY (workspace, state)
);
SELECT well.isolate('ingest.mcp_return', 'well_ingest');
