-- One question for all workspaces: whose pull is due, and whose documents.
GRANT SELECT (workspace, provider, due_at) ON ingest.pull TO well_relay;
CREATE POLICY seen_by_jobs ON ingest.pull FOR SELECT TO well_relay USING (true);
GRANT SELECT (workspace, state, due_at) ON ingest.document_job TO well_relay;
CREATE POLICY seen_by_jobs ON ingest.document_job FOR SELECT TO well_relay USING (true);
