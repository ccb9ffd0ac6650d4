-- The event log of one service. {service} is replaced by its name.

-- One row an event. `sealed` is the whole envelope under the workspace's key; what stands beside it is only what a
-- transport needs to carry it.
CREATE TABLE {service}.event_log (
    bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 63),
    sequence bigint NOT NULL CHECK (sequence > 0),
    workspace uuid NOT NULL,
    event_id uuid NOT NULL,
    topic text NOT NULL,
    record_key bytea NOT NULL, -- the record's name, blinded: its trail can be found and not read
    sealed bytea NOT NULL,
    appended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bucket, sequence)
);
CREATE UNIQUE INDEX ON {service}.event_log (event_id);
CREATE INDEX ON {service}.event_log (workspace, record_key);

-- The last sequence of each bucket. An append holds its rows until it commits: that is why sequences have no gaps
-- and no row can appear behind one that a reader has seen.
CREATE TABLE {service}.event_head (
    bucket smallint PRIMARY KEY,
    sequence bigint NOT NULL DEFAULT 0
);
INSERT INTO {service}.event_head (bucket) SELECT generate_series(0, 63);

-- The last sequence of another log's bucket that a group of this service has dealt with.
CREATE TABLE {service}.consumed (
    group_name text NOT NULL,
    log text NOT NULL,
    bucket smallint NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (group_name, log, bucket)
);

SELECT well.isolate('{service}.event_log', 'well_{service}');
-- Events are never changed and never deleted by the service that wrote them.
REVOKE UPDATE, DELETE ON {service}.event_log FROM well_{service};
GRANT SELECT, UPDATE ON {service}.event_head TO well_{service};
GRANT SELECT, INSERT, UPDATE ON {service}.consumed TO well_{service};

-- The transport reads every workspace's rows, and can open none of them without the workspace's key.
GRANT USAGE ON SCHEMA {service} TO well_relay;
GRANT SELECT ON {service}.event_log, {service}.event_head, {service}.consumed TO well_relay;
CREATE POLICY carried ON {service}.event_log FOR SELECT TO well_relay USING (true);
