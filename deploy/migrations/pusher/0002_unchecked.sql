-- `unchecked`: Qonto has the document, and nothing it read there could be compared. Those that were left `settled` for this
-- reason until now stay as they are: nothing about them is due, and no event tells of another state.
ALTER TABLE pusher.posting
    DROP CONSTRAINT posting_state_check,
    ADD CONSTRAINT posting_state_check CHECK (
        state IN ('intended', 'sent', 'unknown', 'settled', 'verified', 'differs', 'unchecked', 'rejected', 'withdrawn'));
