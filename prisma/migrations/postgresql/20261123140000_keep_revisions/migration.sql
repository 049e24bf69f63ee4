-- AlterTable
ALTER TABLE "personas" ADD COLUMN     "write_context" TEXT;

-- CreateTable
CREATE TABLE "persona_revisions" (
    "seq" BIGSERIAL NOT NULL,
    "persona_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "changed" TEXT NOT NULL,
    "schema" INTEGER NOT NULL,
    "state" TEXT,
    "at" TIMESTAMP(3) NOT NULL,
    "actor" TEXT,
    "request_id" TEXT,
    "worker" INTEGER,

    CONSTRAINT "persona_revisions_pkey" PRIMARY KEY ("seq"),

    -- Written by hand, like those of the first migration.
    CONSTRAINT "persona_revisions_kind_check" CHECK ("kind" IN ('created', 'updated', 'deleted', 'generated', 'erased')),
    CONSTRAINT "persona_revisions_state_check" CHECK (("state" IS NULL) = ("kind" = 'erased'))
);

-- CreateIndex
CREATE INDEX "persona_revisions_persona_id_seq_idx" ON "persona_revisions"("persona_id", "seq");

-- CreateIndex
CREATE INDEX "persona_revisions_persona_id_version_idx" ON "persona_revisions"("persona_id", "version");

-- The history is written by a trigger, so that a write which comes past the service is in it too. Prisma does not know
-- it: a migration that changes the columns of "personas" replaces the function and gives "schema" the next number
-- (src/personas/revisions/revision.row.ts reads each).
--
-- "write_context" says who writes. The service gives every write another one; a write that leaves it as it was came
-- past the service, and nobody knows by whom. One that changes nothing else is a lock, and no revision.
--
-- Numbers are given out before the transactions commit, so a reader may see 7 before 6 is there. Each transaction
-- holds, until it has ended, a shared advisory lock on 0x6761 << 48 | the last number that was given out before its
-- first one: what is not above the least of them (pg_locks), nor above the last number as it was before they were read,
-- is complete. Numbers of transactions would not do in its place: they mean nothing on the server that a copy goes to.
--
-- The function runs with its owner's rights, and in the schema of this migration: whoever may write personas writes
-- their history, with no rights to it and whatever the search path.

-- CreateFunction
CREATE FUNCTION "personas_revision"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $revision$
DECLARE
  floor bigint;
  difference text := ',"name","appearance","personality","content_themes","style_preferences","default_content_rating","allowed_content_ratings","platform_restrictions","base_appearance_description","base_image_path","appearance_locked","base_image_status","is_active"';
  context json := NEW."write_context";
  kind text := 'created';
BEGIN
  IF coalesce(current_setting('gator.revisions_floor', true), '') = '' THEN
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO floor FROM "persona_revisions_seq_seq";
    PERFORM pg_advisory_xact_lock_shared((26465::bigint << 48) | floor);
    PERFORM set_config('gator.revisions_floor', floor::text, true);
  END IF;
  -- A persona that was given another id is not there any more under the old one, either.
  IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND NEW."id" IS DISTINCT FROM OLD."id") THEN
    INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "at")
    VALUES (OLD."id", OLD."version", 'erased', '[]', 1, date_trunc('milliseconds', clock_timestamp() AT TIME ZONE 'UTC'));
    IF TG_OP = 'DELETE' THEN
      RETURN NULL;
    END IF;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW."write_context" IS NOT DISTINCT FROM OLD."write_context" THEN
      context := NULL;
    END IF;
    difference :=
         CASE WHEN NEW."name" IS DISTINCT FROM OLD."name" THEN ',"name"' ELSE '' END
      || CASE WHEN NEW."appearance" IS DISTINCT FROM OLD."appearance" THEN ',"appearance"' ELSE '' END
      || CASE WHEN NEW."personality" IS DISTINCT FROM OLD."personality" THEN ',"personality"' ELSE '' END
      || CASE WHEN NEW."content_themes" IS DISTINCT FROM OLD."content_themes" THEN ',"content_themes"' ELSE '' END
      || CASE WHEN NEW."style_preferences" IS DISTINCT FROM OLD."style_preferences" THEN ',"style_preferences"' ELSE '' END
      || CASE WHEN NEW."default_content_rating" IS DISTINCT FROM OLD."default_content_rating" THEN ',"default_content_rating"' ELSE '' END
      || CASE WHEN NEW."allowed_content_ratings" IS DISTINCT FROM OLD."allowed_content_ratings" THEN ',"allowed_content_ratings"' ELSE '' END
      || CASE WHEN NEW."platform_restrictions" IS DISTINCT FROM OLD."platform_restrictions" THEN ',"platform_restrictions"' ELSE '' END
      || CASE WHEN NEW."base_appearance_description" IS DISTINCT FROM OLD."base_appearance_description" THEN ',"base_appearance_description"' ELSE '' END
      || CASE WHEN NEW."base_image_path" IS DISTINCT FROM OLD."base_image_path" THEN ',"base_image_path"' ELSE '' END
      || CASE WHEN NEW."appearance_locked" IS DISTINCT FROM OLD."appearance_locked" THEN ',"appearance_locked"' ELSE '' END
      || CASE WHEN NEW."base_image_status" IS DISTINCT FROM OLD."base_image_status" THEN ',"base_image_status"' ELSE '' END
      || CASE WHEN NEW."is_active" IS DISTINCT FROM OLD."is_active" THEN ',"is_active"' ELSE '' END
      || CASE WHEN NEW."generation_count" IS DISTINCT FROM OLD."generation_count" THEN ',"generation_count"' ELSE '' END;
    kind := CASE
      WHEN OLD."is_active" AND NOT NEW."is_active" THEN 'deleted'
      WHEN difference = ',"generation_count"' THEN 'generated'
      ELSE 'updated'
    END;
  END IF;
  INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "state", "at", "actor", "request_id", "worker")
  VALUES (
    NEW."id", NEW."version", kind, '[' || substr(difference, 2) || ']', 1,
    json_build_object(
      'id', NEW."id", 'name', NEW."name", 'appearance', NEW."appearance", 'personality', NEW."personality",
      'content_themes', NEW."content_themes", 'style_preferences', NEW."style_preferences",
      'default_content_rating', NEW."default_content_rating",
      'allowed_content_ratings', NEW."allowed_content_ratings",
      'platform_restrictions', NEW."platform_restrictions",
      'base_appearance_description', NEW."base_appearance_description", 'base_image_path', NEW."base_image_path",
      'appearance_locked', NEW."appearance_locked", 'base_image_status', NEW."base_image_status",
      'is_active', NEW."is_active", 'generation_count', NEW."generation_count", 'version', NEW."version",
      'created_at', to_char(NEW."created_at", 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"'),
      'updated_at', to_char(NEW."updated_at", 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')
    ),
    date_trunc('milliseconds', clock_timestamp() AT TIME ZONE 'UTC'),
    context ->> 'actor', context ->> 'request_id', (context ->> 'worker')::integer
  );
  RETURN NULL;
END $revision$;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION "personas_revision"() SET search_path = %I, pg_temp', current_schema());
END $$;

-- CreateTrigger
CREATE TRIGGER "personas_revision_insert_delete" AFTER INSERT OR DELETE ON "personas"
FOR EACH ROW EXECUTE FUNCTION "personas_revision"();

-- CreateTrigger
CREATE TRIGGER "personas_revision_update" AFTER UPDATE ON "personas" FOR EACH ROW
WHEN (
  (NEW."id", NEW."name", NEW."appearance", NEW."personality", NEW."content_themes", NEW."style_preferences",
   NEW."default_content_rating", NEW."allowed_content_ratings", NEW."platform_restrictions",
   NEW."base_appearance_description", NEW."base_image_path", NEW."appearance_locked", NEW."base_image_status",
   NEW."is_active", NEW."generation_count", NEW."version", NEW."created_at", NEW."updated_at")
  IS DISTINCT FROM
  (OLD."id", OLD."name", OLD."appearance", OLD."personality", OLD."content_themes", OLD."style_preferences",
   OLD."default_content_rating", OLD."allowed_content_ratings", OLD."platform_restrictions",
   OLD."base_appearance_description", OLD."base_image_path", OLD."appearance_locked", OLD."base_image_status",
   OLD."is_active", OLD."generation_count", OLD."version", OLD."created_at", OLD."updated_at")
)
EXECUTE FUNCTION "personas_revision"();

-- What was there before is the first that is known of each persona.
INSERT INTO "persona_revisions" ("persona_id", "version", "kind", "changed", "schema", "state", "at")
SELECT
  "id", "version", CASE WHEN "version" = 1 THEN 'created' ELSE 'updated' END, '[]', 1,
  json_build_object(
    'id', "id", 'name', "name", 'appearance', "appearance", 'personality', "personality",
    'content_themes', "content_themes", 'style_preferences', "style_preferences",
    'default_content_rating', "default_content_rating", 'allowed_content_ratings', "allowed_content_ratings",
    'platform_restrictions', "platform_restrictions", 'base_appearance_description', "base_appearance_description",
    'base_image_path', "base_image_path", 'appearance_locked', "appearance_locked",
    'base_image_status', "base_image_status", 'is_active', "is_active", 'generation_count', "generation_count",
    'version', "version", 'created_at', to_char("created_at", 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"'),
    'updated_at', to_char("updated_at", 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')
  ),
  "updated_at"
FROM "personas" ORDER BY "updated_at", "id";
