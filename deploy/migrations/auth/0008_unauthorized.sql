-- A row is one answer of 401 that a provider gave, to whichever process: providers count them too. They belong to no
-- customer: their workspace is the installation's.
CREATE TABLE auth.unauthorized (
    workspace uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL CHECK (provider IN ('xero', 'qonto')),
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (workspace, id)
);
CREATE INDEX unauthorized_by_age ON auth.unauthorized (workspace, provider, seen_at);
SELECT well.isolate('auth.unauthorized', 'well_auth');
