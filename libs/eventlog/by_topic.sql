-- Positions by topic, and what a transport says of an event in the open. {service} is replaced by its name.

-- A group that was far in a log was as far in each of its topics.
ALTER TABLE {service}.consumed ADD COLUMN topic text NOT NULL DEFAULT '';
ALTER TABLE {service}.consumed DROP CONSTRAINT consumed_pkey;
INSERT INTO {service}.consumed (group_name, log, topic, bucket, sequence)
SELECT group_name, log, owned.topic, bucket, sequence FROM {service}.consumed JOIN (VALUES
    ('ingest', 'xero.raw.v1'), ('ingest', 'qonto.raw.v1'), ('ingest', 'entity.normalized.v1'),
    ('ingest', 'document.fetched.v1'), ('matcher', 'match.decided.v1'), ('console', 'match.signed_off.v1'),
    ('pusher', 'qonto.posted.v1')
) AS owned(owner, topic) ON owned.owner = log;
DELETE FROM {service}.consumed WHERE topic = '';
ALTER TABLE {service}.consumed ALTER COLUMN topic DROP DEFAULT;
ALTER TABLE {service}.consumed ADD PRIMARY KEY (group_name, log, topic, bucket);

-- An event written before stands under the name of its topic, and at the time it was appended.
ALTER TABLE {service}.event_log ADD COLUMN event_type text;
ALTER TABLE {service}.event_log ADD COLUMN occurred_at timestamptz;
-- An owner who is no superuser is bound by forced row-level security as well, and would change no row.
ALTER TABLE {service}.event_log NO FORCE ROW LEVEL SECURITY;
UPDATE {service}.event_log SET event_type = topic, occurred_at = appended_at;
ALTER TABLE {service}.event_log FORCE ROW LEVEL SECURITY;
ALTER TABLE {service}.event_log ALTER COLUMN event_type SET NOT NULL;
ALTER TABLE {service}.event_log ALTER COLUMN occurred_at SET NOT NULL;
