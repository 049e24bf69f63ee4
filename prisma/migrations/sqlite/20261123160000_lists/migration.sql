-- CreateIndex
CREATE INDEX "personas_default_content_rating_created_at_id_idx" ON "personas"("default_content_rating", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "personas_base_image_status_created_at_id_idx" ON "personas"("base_image_status", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "personas_appearance_locked_created_at_id_idx" ON "personas"("appearance_locked", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "personas_updated_at_id_idx" ON "personas"("updated_at", "id");

-- CreateIndex
-- As on PostgreSQL, where an index holds no longer text (Prisma does not know indexes of expressions).
CREATE INDEX "personas_name_id_idx" ON "personas"(substr("name", 1, 100), "id");

-- CreateIndex
CREATE INDEX "personas_generation_count_id_idx" ON "personas"("generation_count", "id");

-- CreateTable
-- Without rowids, which Prisma does not know: the key is the table, and the other index all that is beside it.
CREATE TABLE "persona_terms" (
    "persona_id" TEXT NOT NULL,
    "term" TEXT NOT NULL,

    PRIMARY KEY ("persona_id", "term")
) WITHOUT ROWID;

-- CreateTable
CREATE TABLE "personas_unindexed" (
    "seq" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "persona_id" TEXT NOT NULL
);

-- CreateIndex
CREATE INDEX "persona_terms_term_persona_id_idx" ON "persona_terms"("term", "persona_id");

-- CreateIndex
CREATE INDEX "personas_unindexed_persona_id_idx" ON "personas_unindexed"("persona_id");

-- Folding texts is beyond SQL, and must be the same on both databases: triggers only say whose terms are to be looked at
-- again, in the transaction of any change, raw SQL included, and the server does that (src/search). Prisma does not know
-- triggers: a migration that redefines the table must create them again.

-- CreateTrigger
CREATE TRIGGER "personas_unindexed_insert" AFTER INSERT ON "personas" BEGIN
  INSERT INTO "personas_unindexed" ("persona_id") VALUES (NEW."id");
END;

-- CreateTrigger
CREATE TRIGGER "personas_unindexed_update" AFTER UPDATE OF "id", "name", "appearance", "personality", "content_themes" ON "personas"
WHEN
  NEW."id" IS NOT OLD."id" OR NEW."name" IS NOT OLD."name" OR NEW."appearance" IS NOT OLD."appearance" OR
  NEW."personality" IS NOT OLD."personality" OR NEW."content_themes" IS NOT OLD."content_themes"
BEGIN
  INSERT INTO "personas_unindexed" ("persona_id") VALUES (NEW."id");
END;

-- CreateTrigger
CREATE TRIGGER "personas_unindexed_rename" AFTER UPDATE OF "id" ON "personas" WHEN NEW."id" IS NOT OLD."id" BEGIN
  INSERT INTO "personas_unindexed" ("persona_id") VALUES (OLD."id");
END;

-- CreateTrigger
CREATE TRIGGER "personas_unindexed_delete" AFTER DELETE ON "personas" BEGIN
  INSERT INTO "personas_unindexed" ("persona_id") VALUES (OLD."id");
END;

-- What is there already is looked at by the server that starts next, batch by batch.
INSERT INTO "personas_unindexed" ("persona_id") SELECT "id" FROM "personas" ORDER BY "created_at" DESC;
