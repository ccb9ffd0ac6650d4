-- A row is a person's consent that one program reads Xero through the MCP server; where there is none, its tokens open
-- nothing. `words` is what it said of itself, sealed. `read_at` is when it last read, to the hour.
CREATE TABLE auth.program (
    workspace uuid NOT NULL,
    consent uuid NOT NULL,
    words bytea NOT NULL,
    allowed_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (workspace, consent)
);
SELECT well.isolate('auth.program', 'well_auth');
