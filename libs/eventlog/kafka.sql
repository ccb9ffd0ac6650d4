-- What the Kafka transport remembers beside a log. {service} is replaced by its name.

-- How far the relay has published this log: the last sequence of each topic in each bucket. Everything of a bucket up to
-- the highest of them is published.
CREATE TABLE {service}.relayed (
    topic text NOT NULL,
    bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 63),
    sequence bigint NOT NULL CHECK (sequence > 0),
    PRIMARY KEY (topic, bucket)
);

-- Where a group of this service goes on reading after a start: everything of a partition before `next_offset` is dealt
-- with, and some of what follows may be; positions say what. Topics stand under their names on the cluster.
CREATE TABLE {service}.kafka_offset (
    group_name text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL CHECK (partition >= 0),
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    PRIMARY KEY (group_name, topic, partition)
);

GRANT SELECT, INSERT, UPDATE ON {service}.relayed TO well_relay;
GRANT SELECT, INSERT, UPDATE ON {service}.kafka_offset TO well_{service};
