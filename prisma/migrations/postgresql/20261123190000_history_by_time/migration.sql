-- DropIndex
DROP INDEX "persona_revisions_persona_id_seq_idx";

-- CreateIndex
CREATE INDEX "persona_revisions_persona_id_seq_at_idx" ON "persona_revisions"("persona_id", "seq", "at");

-- TRUNCATE fires no trigger of a row, so that it was the one write that the history did not see. Prisma does not know
-- this trigger either; its function has the rights and the schema of the other one's.

-- CreateFunction
CREATE FUNCTION "personas_revision_truncate"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $revision$
BEGIN
  -- Row by row, as it is the last time that they are there.
  DELETE FROM "personas";
  RETURN NULL;
END $revision$;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION "personas_revision_truncate"() SET search_path = %I, pg_temp', current_schema());
END $$;

-- CreateTrigger
CREATE TRIGGER "personas_revision_truncate" BEFORE TRUNCATE ON "personas"
FOR EACH STATEMENT EXECUTE FUNCTION "personas_revision_truncate"();
