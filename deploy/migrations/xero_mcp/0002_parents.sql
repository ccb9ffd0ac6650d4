-- `parent` is the SHA-256 of the code or refresh token that bought this one.
ALTER TABLE xero_mcp.token ADD COLUMN parent bytea;
CREATE INDEX token_parent ON xero_mcp.token (workspace, parent) WHERE parent IS NOT NULL;
