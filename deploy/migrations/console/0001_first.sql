-- What a person sees of a bill: one row a bill, rebuilt from events alone.
CREATE TABLE console.bill_view (
    workspace uuid NOT NULL,
    record_key bytea NOT NULL,      -- the record's name, blinded
    number_key bytea,               -- its number in capitals, blinded
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
CREATE INDEX ON console.bill_view (workspace, number_key);
SELECT well.isolate('console.bill_view', 'well_console');
