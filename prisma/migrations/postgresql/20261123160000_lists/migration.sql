-- CreateIndex
CREATE INDEX "personas_default_content_rating_created_at_id_idx" ON "personas"("default_content_rating", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "personas_base_image_status_created_at_id_idx" ON "personas"("base_image_status", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "personas_appearance_locked_created_at_id_idx" ON "personas"("appearance_locked", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "personas_updated_at_id_idx" ON "personas"("updated_at", "id");

-- CreateIndex
-- By bytes, as SQLite compares; and no more of them than an index holds (Prisma does not know indexes of expressions).
CREATE INDEX "personas_name_id_idx" ON "personas"((left("name", 100)) COLLATE "C", "id");

-- CreateIndex
CREATE INDEX "personas_generation_count_id_idx" ON "personas"("generation_count", "id");

-- CreateTable
-- Terms are compared by their bytes: those that begin with a word are a range.
CREATE TABLE "persona_terms" (
    "persona_id" TEXT NOT NULL,
    "term" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "persona_terms_pkey" PRIMARY KEY ("persona_id","term")
);

-- CreateTable
CREATE TABLE "personas_unindexed" (
    "seq" BIGSERIAL NOT NULL,
    "persona_id" TEXT NOT NULL,

    CONSTRAINT "personas_unindexed_pkey" PRIMARY KEY ("seq")
);

-- CreateIndex
CREATE INDEX "persona_terms_term_persona_id_idx" ON "persona_terms"("term", "persona_id");

-- CreateIndex
CREATE INDEX "personas_unindexed_persona_id_idx" ON "personas_unindexed"("persona_id");

-- Folding texts is beyond SQL, and must be the same on both databases: a trigger only says whose terms are to be looked
-- at again, in the transaction of any change, raw SQL included, and the server does that (src/search). It appends, so
-- that writers never wait for each other or for the server here. Its rights are those of "personas_revision".

-- CreateFunction
CREATE FUNCTION "personas_unindexed"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $unindexed$
BEGIN
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO "personas_unindexed" ("persona_id") VALUES (NEW."id");
  END IF;
  IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND NEW."id" IS DISTINCT FROM OLD."id") THEN
    INSERT INTO "personas_unindexed" ("persona_id") VALUES (OLD."id");
  END IF;
  RETURN NULL;
END $unindexed$;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION "personas_unindexed"() SET search_path = %I, pg_temp', current_schema());
END $$;

-- CreateTrigger
CREATE TRIGGER "personas_unindexed_insert_delete" AFTER INSERT OR DELETE ON "personas"
FOR EACH ROW EXECUTE FUNCTION "personas_unindexed"();

-- CreateTrigger
CREATE TRIGGER "personas_unindexed_update" AFTER UPDATE ON "personas" FOR EACH ROW
WHEN (
  (NEW."id", NEW."name", NEW."appearance", NEW."personality", NEW."content_themes")
  IS DISTINCT FROM
  (OLD."id", OLD."name", OLD."appearance", OLD."personality", OLD."content_themes")
)
EXECUTE FUNCTION "personas_unindexed"();

-- What is there already is looked at by the server that starts next, batch by batch.
INSERT INTO "personas_unindexed" ("persona_id") SELECT "id" FROM "personas" ORDER BY "created_at" DESC;
