-- One question for all workspaces: who has bills to decide.
GRANT SELECT (workspace, is_due) ON matcher.bill TO well_relay;
CREATE POLICY seen_by_jobs ON matcher.bill FOR SELECT TO well_relay USING (true);
