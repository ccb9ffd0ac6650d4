-- An owner who is no superuser is bound by forced row-level security as well, and would change no row.
ALTER TABLE auth.workspace_key NO FORCE ROW LEVEL SECURITY;

-- A row is a key of a workspace for one purpose. `generation` counts from 1; the newest whose `seals_from` has come seals,
-- and all open. `index` is the secret that names are blinded with.
ALTER TABLE auth.workspace_key ADD COLUMN generation integer NOT NULL DEFAULT 1 CHECK (generation > 0);
ALTER TABLE auth.workspace_key ADD COLUMN seals_from timestamptz;
UPDATE auth.workspace_key SET seals_from = made_at;
ALTER TABLE auth.workspace_key ALTER COLUMN seals_from SET NOT NULL;
ALTER TABLE auth.workspace_key ALTER COLUMN generation DROP DEFAULT;
DROP INDEX auth.workspace_key_current;
ALTER TABLE auth.workspace_key DROP COLUMN current;

-- The one key that sealed everything opens it further, under each purpose, until `well keys rotate` gives each its own.
-- What was wrapped until now says in front that it is of the first form.
ALTER TABLE auth.workspace_key DROP CONSTRAINT workspace_key_pkey;
ALTER TABLE auth.workspace_key DROP CONSTRAINT workspace_key_purpose_check;
UPDATE auth.workspace_key SET wrapped = '\x01'::bytea || wrapped;
INSERT INTO auth.workspace_key (workspace, id, purpose, generation, wrapped, made_at, seals_from)
SELECT workspace, id, new.purpose, generation, wrapped, made_at, seals_from
FROM auth.workspace_key, (VALUES ('tokens'), ('documents')) AS new(purpose) WHERE workspace_key.purpose = 'row';
UPDATE auth.workspace_key SET purpose = 'payloads' WHERE purpose = 'row';
ALTER TABLE auth.workspace_key ADD PRIMARY KEY (workspace, purpose, id);
ALTER TABLE auth.workspace_key
    ADD CONSTRAINT workspace_key_purpose_check CHECK (purpose IN ('tokens', 'payloads', 'documents', 'index'));
CREATE UNIQUE INDEX workspace_key_generation ON auth.workspace_key (workspace, purpose, generation);

ALTER TABLE auth.workspace_key FORCE ROW LEVEL SECURITY;

-- When the workspace was erased: it then has no keys, and gets none again.
ALTER TABLE auth.workspace ADD COLUMN erased_at timestamptz;
