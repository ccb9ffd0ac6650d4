-- What is known of a bill that was decided to be posted: its newest decision and the document that came for one.
-- `sealed` holds what Xero says of it: the expected fields and the document's own name.
CREATE TABLE pusher.bill (
    workspace uuid NOT NULL,
    record text NOT NULL,
    generation integer NOT NULL DEFAULT 0,
    post boolean NOT NULL DEFAULT false,
    by_person boolean NOT NULL DEFAULT false,
    document_generation integer NOT NULL DEFAULT 0,
    answered integer NOT NULL DEFAULT 0,
    sealed bytea,
    PRIMARY KEY (workspace, record)
);
CREATE INDEX ON pusher.bill (workspace) WHERE post AND answered < generation;
SELECT well.isolate('pusher.bill', 'well_pusher');

-- One row a posting: one document that shall stand in Qonto once. `sealed` holds the file's names and the expected
-- fields, and never changes; `sentence` is sealed too, since it may repeat what Qonto said of the file.
CREATE TABLE pusher.posting (
    workspace uuid NOT NULL,
    id uuid NOT NULL,
    record text NOT NULL,
    generation integer NOT NULL,
    state text NOT NULL CHECK (
        state IN ('intended', 'sent', 'unknown', 'settled', 'verified', 'differs', 'rejected', 'withdrawn')),
    version integer NOT NULL DEFAULT 0,
    last_event uuid NOT NULL,
    account text,
    attempt integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0,
    looks integer NOT NULL DEFAULT 0,
    first_sent_at timestamptz,
    last_sent_at timestamptz,
    due_at timestamptz,
    invoice_id text,
    attachment_id text,
    code text,
    sentence bytea,
    sealed bytea NOT NULL,
    PRIMARY KEY (workspace, id),
    UNIQUE (workspace, record, generation)
);
-- A bill has at most one posting that may still put something into Qonto.
CREATE UNIQUE INDEX one_live_posting ON pusher.posting (workspace, record)
    WHERE state IN ('intended', 'sent', 'unknown');
CREATE INDEX posting_due ON pusher.posting (workspace, due_at, id) WHERE due_at IS NOT NULL;
SELECT well.isolate('pusher.posting', 'well_pusher');
