-- One row a bill: where it stands. `sealed` holds its fields, and those it was posted with.
CREATE TABLE matcher.bill (
    workspace uuid NOT NULL,
    bill_id text NOT NULL,
    version bigint NOT NULL,
    sealed bytea NOT NULL,
    withdrawn text,
    basis_sha256 text NOT NULL,
    is_due boolean NOT NULL,
    cause uuid NOT NULL,
    generation bigint NOT NULL,
    verdict text,
    outcome_sha256 text,
    posting text NOT NULL,
    posting_generation bigint NOT NULL,
    posted_invoice_id text,
    chosen_by_person text,
    answer text,
    answer_basis_sha256 text,
    answer_invoice_id text,
    PRIMARY KEY (workspace, bill_id)
);
CREATE INDEX bill_due ON matcher.bill (workspace, bill_id) WHERE is_due;
SELECT well.isolate('matcher.bill', 'well_matcher');

-- One row a supplier invoice, as Qonto last had it.
CREATE TABLE matcher.invoice (
    workspace uuid NOT NULL,
    invoice_id text NOT NULL,
    version bigint NOT NULL,
    sealed bytea NOT NULL,
    is_withdrawn boolean NOT NULL,
    PRIMARY KEY (workspace, invoice_id)
);
SELECT well.isolate('matcher.invoice', 'well_matcher');

-- One row a blocking key of a bill that takes part. Keys are keyed fingerprints.
CREATE TABLE matcher.bill_key (
    workspace uuid NOT NULL,
    key bytea NOT NULL,
    id text NOT NULL,
    PRIMARY KEY (workspace, key, id)
);
SELECT well.isolate('matcher.bill_key', 'well_matcher');

-- One row a blocking key of a supplier invoice.
CREATE TABLE matcher.invoice_key (
    workspace uuid NOT NULL,
    key bytea NOT NULL,
    id text NOT NULL,
    PRIMARY KEY (workspace, key, id)
);
SELECT well.isolate('matcher.invoice_key', 'well_matcher');

-- One row a supplier invoice that belongs to a bill. The primary key is the promise: to one bill at most.
CREATE TABLE matcher.claim (
    workspace uuid NOT NULL,
    invoice_id text NOT NULL,
    bill_id text NOT NULL,
    ground text NOT NULL CHECK (ground IN ('matched', 'signed_off', 'posted')),
    PRIMARY KEY (workspace, invoice_id)
);
CREATE INDEX claim_of_bill ON matcher.claim (workspace, bill_id);
SELECT well.isolate('matcher.claim', 'well_matcher');

-- One row a decision, as it was said in the log.
CREATE TABLE matcher.decision (
    workspace uuid NOT NULL,
    bill_id text NOT NULL,
    generation bigint NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (workspace, bill_id, generation)
);
SELECT well.isolate('matcher.decision', 'well_matcher');

-- One row a window: a bit for each of the 64 buckets in which its end was seen; -1 is all of them.
CREATE TABLE matcher.window_seen (
    workspace uuid NOT NULL,
    provider text NOT NULL,
    window_name text NOT NULL,
    buckets bigint NOT NULL,
    PRIMARY KEY (workspace, provider, window_name)
);
SELECT well.isolate('matcher.window_seen', 'well_matcher');
