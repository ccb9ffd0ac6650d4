-- What a person sees of a bill: one row a bill, rebuilt from events alone.
CREATE TABLE console.bill_view (
    workspace uuid NOT NULL,
    record_key bytea NOT NULL,      -- the record's name, blinded
    waits boolean NOT NULL,         -- a person has something to decide
    verdict text,                   -- of the newest decision
    reason text,
    generation integer NOT NULL DEFAULT 0,
    posting text,                   -- state of the newest posting
    changed_at timestamptz NOT NULL,
    sealed bytea NOT NULL,          -- the whole view
    PRIMARY KEY (workspace, record_key)
);
CREATE INDEX ON console.bill_view (workspace, changed_at) WHERE waits;
SELECT well.isolate('console.bill_view', 'well_console');
