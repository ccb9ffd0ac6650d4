-- One question for all workspaces: who has postings that are due.
GRANT SELECT (workspace, state, due_at) ON pusher.posting TO well_relay;
CREATE POLICY seen_by_jobs ON pusher.posting FOR SELECT TO well_relay USING (true);
