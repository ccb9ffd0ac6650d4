-- When what a decision of the bill rests on was said, and when it was settled as what it was posted as. What stands here
-- already was said and done before whatever comes.
ALTER TABLE matcher.bill ADD COLUMN said_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE matcher.bill ALTER COLUMN said_at DROP DEFAULT;
ALTER TABLE matcher.bill ADD COLUMN posted_at timestamptz;
-- An owner who is no superuser is bound by forced row-level security as well, and would change no row.
ALTER TABLE matcher.bill NO FORCE ROW LEVEL SECURITY;
UPDATE matcher.bill SET posted_at = said_at WHERE posted_invoice_id IS NOT NULL;
ALTER TABLE matcher.bill FORCE ROW LEVEL SECURITY;

-- When Well uploaded the supplier invoice itself; before all time when somebody else did. It is part of the primary key,
-- so that the first ones that share a key are found in that order.
ALTER TABLE matcher.invoice_key ADD COLUMN uploaded_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE matcher.invoice_key DROP CONSTRAINT invoice_key_pkey;
ALTER TABLE matcher.invoice_key ADD PRIMARY KEY (workspace, key, uploaded_at, id);
