-- What the stand-in keeps. Milliseconds are since 1970, UTC.

CREATE TABLE IF NOT EXISTS setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL                 -- JSON
);

CREATE TABLE IF NOT EXISTS organisation (
    tenant_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    body BLOB NOT NULL                  -- Xero's JSON of an Organisation
);

-- One consent of one user; codes and tokens come from it, and end with it.
CREATE TABLE IF NOT EXISTS consent (
    consent_id TEXT PRIMARY KEY,        -- Xero's authEventId
    user_id TEXT NOT NULL,
    scopes TEXT NOT NULL                -- separated by spaces
);
CREATE INDEX IF NOT EXISTS consent_user ON consent (user_id);

-- An organisation a user lets the app read, until either is told otherwise.
CREATE TABLE IF NOT EXISTS connection (
    connection_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    consent_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (user_id, tenant_id)
);

CREATE TABLE IF NOT EXISTS code (
    code TEXT PRIMARY KEY,
    consent_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT,                     -- PKCE S256; null when the client sent none
    expires_ms INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS token (
    token TEXT PRIMARY KEY,
    consent_id TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- access or refresh
    expires_ms INTEGER NOT NULL,
    rotated_ms INTEGER                  -- when a refresh token was first used
);
CREATE INDEX IF NOT EXISTS token_consent ON token (consent_id);

-- Invoices and Contacts; `body` is the whole record as a page of the list shows it.
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    type TEXT,
    status TEXT,
    number TEXT,
    contact_id TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, tenant_id, record_id)
);
CREATE INDEX IF NOT EXISTS record_updated ON record (kind, tenant_id, updated_ms, record_id);

CREATE TABLE IF NOT EXISTS attachment (
    tenant_id TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    attachment_id TEXT NOT NULL,
    file_name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    paper TEXT,                         -- the recipe of a PDF that is drawn when it is first needed
    content BLOB,                       -- null until drawn
    PRIMARY KEY (tenant_id, attachment_id)
);
CREATE INDEX IF NOT EXISTS attachment_invoice ON attachment (tenant_id, invoice_id);
