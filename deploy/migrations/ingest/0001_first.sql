-- One row a version of a provider's record: its words, sealed. Rows are added and never changed.
CREATE TABLE ingest.raw_record (
    workspace uuid NOT NULL,
    record text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    kind text NOT NULL,
    content_sha256 text NOT NULL,
    sealed bytea NOT NULL,
    pulled_at timestamptz NOT NULL,
    PRIMARY KEY (workspace, record, version)
);
SELECT well.isolate('ingest.raw_record', 'well_ingest');
REVOKE UPDATE ON ingest.raw_record FROM well_ingest;

-- One row a provider of a workspace: how far it has been read, and the window under way (all null between windows).
CREATE TABLE ingest.pull (
    workspace uuid NOT NULL,
    provider text NOT NULL,
    windows integer NOT NULL,
    last_opened_at timestamptz,
    window_number integer,
    window_since timestamptz,
    window_opened_at timestamptz,
    window_kind text,
    window_page integer,
    window_counted boolean,
    window_changed integer,
    due_at timestamptz NOT NULL,
    failures integer NOT NULL,
    sentence text,
    contacts bigint NOT NULL,
    bills bigint NOT NULL,
    supplier_invoices bigint NOT NULL,
    PRIMARY KEY (workspace, provider)
);
SELECT well.isolate('ingest.pull', 'well_ingest');

-- One row a bill whose document a decision asked for: waiting, done, missing or cancelled.
CREATE TABLE ingest.document_job (
    workspace uuid NOT NULL,
    record text NOT NULL,
    generation integer NOT NULL,
    decision uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'done', 'missing', 'cancelled')),
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    sentence text,
    PRIMARY KEY (workspace, record)
);
CREATE INDEX ON ingest.document_job (workspace, due_at) WHERE state = 'waiting';
SELECT well.isolate('ingest.document_job', 'well_ingest');

-- One row an MCP server of a workspace: client registration, tokens and metadata, sealed.
CREATE TABLE ingest.mcp_grant (
    workspace uuid NOT NULL,
    server text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (workspace, server)
);
SELECT well.isolate('ingest.mcp_grant', 'well_ingest');

-- One row a workspace that is being normalised again: the run, and the record it has come to.
CREATE TABLE ingest.renormalizing (
    workspace uuid NOT NULL,
    run uuid NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (workspace)
);
SELECT well.isolate('ingest.renormalizing', 'well_ingest');
