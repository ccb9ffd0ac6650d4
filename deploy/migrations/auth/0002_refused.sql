-- `refused`: the provider renews the grant and then refuses fresh tokens. The connection rests until `refused_until`;
-- `refused_since` stays while it is tried again.
ALTER TABLE auth.connection
    ADD COLUMN refused_since timestamptz,
    ADD COLUMN refused_until timestamptz,
    DROP CONSTRAINT connection_state_check,
    ADD CONSTRAINT connection_state_check CHECK (state IN ('active', 'refused', 'lost', 'revoked'));
