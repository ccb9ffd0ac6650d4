-- A row is a workspace: one customer of this installation. `connected_at` is when it first connected a provider.
CREATE TABLE auth.workspace (
    workspace uuid PRIMARY KEY,
    region text NOT NULL,
    made_at timestamptz NOT NULL,
    connected_at timestamptz
);
SELECT well.isolate('auth.workspace', 'well_auth');

-- Jobs visit every workspace in turn and must first learn which there are; a transaction belongs to one workspace, so
-- none could tell. This one table, which holds ids and no content, may be read by auth's own role whatever is set.
CREATE POLICY read_by_jobs ON auth.workspace FOR SELECT TO well_auth USING (true);

-- A row is a key of a workspace, wrapped by the key-encryption key. Purpose `row` seals; `index` makes blind indexes.
CREATE TABLE auth.workspace_key (
    workspace uuid NOT NULL,
    id uuid NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('row', 'index')),
    wrapped bytea NOT NULL,
    current boolean NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (workspace, id)
);
-- One current key a purpose: of two processes that make the first key at once, the second one's insert does nothing.
CREATE UNIQUE INDEX workspace_key_current ON auth.workspace_key (workspace, purpose) WHERE current;
SELECT well.isolate('auth.workspace_key', 'well_auth');

-- A row is the consent of a workspace at a provider, with the tokens it gave. `generation` counts its token pairs.
-- Until `refreshing_until` one borrower, named by `refreshing_by`, asks the provider for the next pair.
CREATE TABLE auth.connection (
    workspace uuid NOT NULL,
    provider text NOT NULL CHECK (provider IN ('xero', 'qonto')),
    state text NOT NULL CHECK (state IN ('active', 'lost', 'revoked')),
    consent uuid NOT NULL,
    account text NOT NULL,
    account_name bytea NOT NULL,
    scopes text[] NOT NULL,
    generation bigint NOT NULL,
    access_token bytea,
    refresh_token bytea,
    previous_refresh_token bytea,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz NOT NULL,
    refusal_at timestamptz,
    refreshing_by uuid,
    refreshing_until timestamptz,
    PRIMARY KEY (workspace, provider)
);
SELECT well.isolate('auth.connection', 'well_auth');

-- A row is something a browser carries that stands for a right until it expires: a sign-in, a session, a consent under
-- way. Only the SHA-256 of what the browser carries is here; `content` is sealed.
CREATE TABLE auth.ticket (
    workspace uuid NOT NULL,
    sha256 bytea NOT NULL,
    purpose text NOT NULL,
    content bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace, sha256)
);
CREATE INDEX ticket_by_age ON auth.ticket (workspace, purpose, expires_at);
SELECT well.isolate('auth.ticket', 'well_auth');
