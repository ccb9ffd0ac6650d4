-- What the relay sends again because somebody asked for it (`well topics replay`). {service} is replaced by its name.

-- The events of a topic in a bucket behind `sequence` are sent again, up to where the relay is. While a row stands,
-- nothing else of its topic and bucket is sent, so that what follows comes behind what was sent again.
CREATE TABLE {service}.replay (
    topic text NOT NULL,
    bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 63),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    PRIMARY KEY (topic, bucket)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON {service}.replay TO well_relay;
