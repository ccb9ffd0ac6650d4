-- Jobs visit the workspaces whose connection works: one question for all of them, which shows no token and no account.
GRANT SELECT (workspace, provider, state) ON auth.connection TO well_relay;
CREATE POLICY seen_by_jobs ON auth.connection FOR SELECT TO well_relay USING (true);
CREATE INDEX connection_works ON auth.connection (provider, workspace) WHERE state IN ('active', 'refused');
