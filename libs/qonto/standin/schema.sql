-- Instants are microseconds since 1970 by the stand-in's own clock; documents are JSON in Qonto's shape.
create table if not exists settings (name text primary key, value text not null);
create table if not exists calls (name text primary key, count integer not null);
create table if not exists organizations (seq integer primary key, id text unique not null, document text not null);

create table if not exists clients (
    id text primary key, secret text not null, redirect_uris text not null, any_loopback_port integer not null
);
create table if not exists consents (  -- questions put to a person and not answered yet
    id text primary key, client_id text not null, redirect_uri text not null, scope text not null, state text not null,
    challenge text, asked_at integer not null
);
create table if not exists grants (
    id text primary key, client_id text not null, organization_id text not null, scope text not null,
    revoked integer not null default 0
);
create table if not exists codes (
    code text primary key, grant_id text not null, redirect_uri text not null, challenge text,
    expires_at integer not null, used integer not null default 0
);
create table if not exists tokens (
    token text primary key, grant_id text not null, kind text not null, expires_at integer not null,
    first_used_at integer
);
create index if not exists tokens_expiry on tokens (expires_at);

create table if not exists attachments (
    id text primary key, organization_id text not null, file_name text not null, content_type text not null,
    sha256 text not null, content blob not null, created_at integer not null
);
create table if not exists invoices (
    seq integer primary key, id text unique not null, organization_id text not null, status text not null,
    created_at integer not null, updated_at integer not null, attachment_id text, document text not null,
    analyse_at integer,             -- null when there is nothing to analyse, or it is done
    idempotency_key text,           -- null when nobody uploaded it here
    matcher_skipped integer not null default 0
);
create index if not exists invoices_updated on invoices (organization_id, updated_at, seq);
create index if not exists invoices_created on invoices (organization_id, created_at, seq);
create index if not exists invoices_attachment on invoices (attachment_id);
create index if not exists invoices_due on invoices (organization_id, analyse_at) where analyse_at is not null;
create index if not exists invoices_number on invoices (organization_id, json_extract(document, '$.invoice_number'));
create table if not exists remembered (  -- answers to idempotency keys
    organization_id text not null, scope text not null, key text not null, until integer not null,
    answer text not null, primary key (organization_id, scope, key)
);
create index if not exists remembered_until on remembered (until);
create table if not exists transactions (
    seq integer primary key, id text unique not null, organization_id text not null, updated_at integer not null,
    document text not null
);
create index if not exists transactions_updated on transactions (organization_id, updated_at, seq);
