-- Imports of users, and what was wrong with their lines. Nothing of a line is kept.

CREATE TABLE user_imports (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    dry_run bigint NOT NULL CHECK (dry_run IN (0, 1)),
    on_conflict text COLLATE "C" NOT NULL,
    source text COLLATE "C",
    state text COLLATE "C" NOT NULL CHECK (state IN ('open', 'completed', 'cancelled')),
    lines bigint NOT NULL,
    imported bigint NOT NULL,
    skipped bigint NOT NULL,
    failed bigint NOT NULL,
    errors bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "user_imports.import_id" PRIMARY KEY (tenant_id, import_id)
);

-- place is the number of the line and of the error in it, big endian, so that errors are in order of their lines
CREATE TABLE user_import_errors (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    place bytea NOT NULL,
    field text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    detail text COLLATE "C" NOT NULL,
    CONSTRAINT "user_import_errors.place" PRIMARY KEY (tenant_id, import_id, place),
    FOREIGN KEY (tenant_id, import_id) REFERENCES user_imports (tenant_id, import_id)
);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['user_imports', 'user_import_errors'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
END
$$;
