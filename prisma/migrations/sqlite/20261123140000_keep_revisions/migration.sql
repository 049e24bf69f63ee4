-- AlterTable
ALTER TABLE "personas" ADD COLUMN "write_context" TEXT;

-- CreateTable
CREATE TABLE "persona_revisions" (
    "seq" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "persona_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "changed" TEXT NOT NULL,
    "schema" INTEGER NOT NULL,
    "state" TEXT,
    "at" DATETIME NOT NULL,
    "actor" TEXT,
    "request_id" TEXT,
    "worker" INTEGER,

    -- Written by hand, like those of the first migration.
    CONSTRAINT "persona_revisions_kind_check" CHECK ("kind" IN ('created', 'updated', 'deleted', 'generated', 'erased')),
    CONSTRAINT "persona_revisions_state_check" CHECK (("state" IS NULL) = ("kind" = 'erased'))
);

-- CreateIndex
CREATE INDEX "persona_revisions_persona_id_seq_idx" ON "persona_revisions"("persona_id", "seq");

-- CreateIndex
CREATE INDEX "persona_revisions_persona_id_version_idx" ON "persona_revisions"("persona_id", "version");

-- The history is written by triggers, so that a write which comes past the service is in it too. Prisma does not know
-- them: a migration that redefines the table must create them again, and one that changes its columns replaces them
-- and gives "schema" the next number (src/personas/revisions/revision.row.ts reads each).
--
-- "write_context" says who writes. The service gives every write another one; a write that leaves it as it was came
-- past the service, and nobody knows by whom. One that changes nothing else is a lock, and no revision.

-- CreateTrigger
CREATE TRIGGER "personas_revision_insert" AFTER INSERT ON "personas" BEGIN
  INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "state", "at", "actor", "request_id", "worker")
  VALUES (
    NEW."id", NEW."version", 'created',
    '["name","appearance","personality","content_themes","style_preferences","default_content_rating","allowed_content_ratings","platform_restrictions","base_appearance_description","base_image_path","appearance_locked","base_image_status","is_active"]',
    1,
    json_object(
      'id', NEW."id", 'name', NEW."name", 'appearance', NEW."appearance", 'personality', NEW."personality",
      'content_themes', NEW."content_themes", 'style_preferences', NEW."style_preferences",
      'default_content_rating', NEW."default_content_rating",
      'allowed_content_ratings', NEW."allowed_content_ratings",
      'platform_restrictions', NEW."platform_restrictions",
      'base_appearance_description', NEW."base_appearance_description", 'base_image_path', NEW."base_image_path",
      'appearance_locked', NEW."appearance_locked", 'base_image_status', NEW."base_image_status",
      'is_active', NEW."is_active", 'generation_count', NEW."generation_count", 'version', NEW."version",
      'created_at', NEW."created_at", 'updated_at', NEW."updated_at"
    ),
    strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'),
    NEW."write_context" ->> '$.actor', NEW."write_context" ->> '$.request_id', NEW."write_context" ->> '$.worker'
  );
END;

-- CreateTrigger
CREATE TRIGGER "personas_revision_update" AFTER UPDATE ON "personas"
WHEN
  NEW."id" IS NOT OLD."id" OR NEW."name" IS NOT OLD."name" OR NEW."appearance" IS NOT OLD."appearance" OR
  NEW."personality" IS NOT OLD."personality" OR NEW."content_themes" IS NOT OLD."content_themes" OR
  NEW."style_preferences" IS NOT OLD."style_preferences" OR
  NEW."default_content_rating" IS NOT OLD."default_content_rating" OR
  NEW."allowed_content_ratings" IS NOT OLD."allowed_content_ratings" OR
  NEW."platform_restrictions" IS NOT OLD."platform_restrictions" OR
  NEW."base_appearance_description" IS NOT OLD."base_appearance_description" OR
  NEW."base_image_path" IS NOT OLD."base_image_path" OR NEW."appearance_locked" IS NOT OLD."appearance_locked" OR
  NEW."base_image_status" IS NOT OLD."base_image_status" OR NEW."is_active" IS NOT OLD."is_active" OR
  NEW."generation_count" IS NOT OLD."generation_count" OR NEW."version" IS NOT OLD."version" OR
  NEW."created_at" IS NOT OLD."created_at" OR NEW."updated_at" IS NOT OLD."updated_at"
BEGIN
  INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "state", "at", "actor", "request_id", "worker")
  SELECT
    NEW."id", NEW."version",
    CASE
      WHEN OLD."is_active" AND NOT NEW."is_active" THEN 'deleted'
      WHEN "difference" = ',"generation_count"' THEN 'generated'
      ELSE 'updated'
    END,
    '[' || substr("difference", 2) || ']',
    1,
    json_object(
      'id', NEW."id", 'name', NEW."name", 'appearance', NEW."appearance", 'personality', NEW."personality",
      'content_themes', NEW."content_themes", 'style_preferences', NEW."style_preferences",
      'default_content_rating', NEW."default_content_rating",
      'allowed_content_ratings', NEW."allowed_content_ratings",
      'platform_restrictions', NEW."platform_restrictions",
      'base_appearance_description', NEW."base_appearance_description", 'base_image_path', NEW."base_image_path",
      'appearance_locked', NEW."appearance_locked", 'base_image_status', NEW."base_image_status",
      'is_active', NEW."is_active", 'generation_count', NEW."generation_count", 'version', NEW."version",
      'created_at', NEW."created_at", 'updated_at', NEW."updated_at"
    ),
    strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'),
    "context" ->> '$.actor', "context" ->> '$.request_id', "context" ->> '$.worker'
  FROM (
    SELECT
      CASE WHEN NEW."write_context" IS NOT OLD."write_context" THEN NEW."write_context" END AS "context",
         CASE WHEN NEW."name" IS NOT OLD."name" THEN ',"name"' ELSE '' END
      || CASE WHEN NEW."appearance" IS NOT OLD."appearance" THEN ',"appearance"' ELSE '' END
      || CASE WHEN NEW."personality" IS NOT OLD."personality" THEN ',"personality"' ELSE '' END
      || CASE WHEN NEW."content_themes" IS NOT OLD."content_themes" THEN ',"content_themes"' ELSE '' END
      || CASE WHEN NEW."style_preferences" IS NOT OLD."style_preferences" THEN ',"style_preferences"' ELSE '' END
      || CASE WHEN NEW."default_content_rating" IS NOT OLD."default_content_rating" THEN ',"default_content_rating"' ELSE '' END
      || CASE WHEN NEW."allowed_content_ratings" IS NOT OLD."allowed_content_ratings" THEN ',"allowed_content_ratings"' ELSE '' END
      || CASE WHEN NEW."platform_restrictions" IS NOT OLD."platform_restrictions" THEN ',"platform_restrictions"' ELSE '' END
      || CASE WHEN NEW."base_appearance_description" IS NOT OLD."base_appearance_description" THEN ',"base_appearance_description"' ELSE '' END
      || CASE WHEN NEW."base_image_path" IS NOT OLD."base_image_path" THEN ',"base_image_path"' ELSE '' END
      || CASE WHEN NEW."appearance_locked" IS NOT OLD."appearance_locked" THEN ',"appearance_locked"' ELSE '' END
      || CASE WHEN NEW."base_image_status" IS NOT OLD."base_image_status" THEN ',"base_image_status"' ELSE '' END
      || CASE WHEN NEW."is_active" IS NOT OLD."is_active" THEN ',"is_active"' ELSE '' END
      || CASE WHEN NEW."generation_count" IS NOT OLD."generation_count" THEN ',"generation_count"' ELSE '' END AS "difference"
  );
END;

-- CreateTrigger
-- A persona that was given another id is not there any more under the old one.
CREATE TRIGGER "personas_revision_rename" AFTER UPDATE OF "id" ON "personas" WHEN NEW."id" IS NOT OLD."id" BEGIN
  INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "at")
  VALUES (OLD."id", OLD."version", 'erased', '[]', 1, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'));
END;

-- CreateTrigger
CREATE TRIGGER "personas_revision_delete" AFTER DELETE ON "personas" BEGIN
  INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "at")
  VALUES (OLD."id", OLD."version", 'erased', '[]', 1, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'));
END;

-- What was there before is the first that is known of each persona.
INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "state", "at")
SELECT
  "id", "version", CASE WHEN "version" = 1 THEN 'created' ELSE 'updated' END, '[]', 1,
  json_object(
    'id', "id", 'name', "name", 'appearance', "appearance", 'personality', "personality",
    'content_themes', "content_themes", 'style_preferences', "style_preferences",
    'default_content_rating', "default_content_rating", 'allowed_content_ratings', "allowed_content_ratings",
    'platform_restrictions', "platform_restrictions", 'base_appearance_description', "base_appearance_description",
    'base_image_path', "base_image_path", 'appearance_locked', "appearance_locked",
    'base_image_status', "base_image_status", 'is_active', "is_active", 'generation_count', "generation_count",
    'version', "version", 'created_at', "created_at", 'updated_at', "updated_at"
  ),
  -- An older version of Prisma's adapter wrote milliseconds.
  CASE typeof("updated_at")
    WHEN 'integer' THEN strftime('%Y-%m-%dT%H:%M:%f+00:00', "updated_at" / 1000.0, 'unixepoch')
    ELSE "updated_at"
  END
FROM "personas" ORDER BY "updated_at", "id";
