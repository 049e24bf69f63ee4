-- CreateTable
CREATE TABLE "persona_counts" (
    "slot" INTEGER NOT NULL PRIMARY KEY,
    "total" INTEGER NOT NULL,
    "active" INTEGER NOT NULL,
    "replaced" TEXT
);

-- How many personas there are is kept by triggers, in the transaction of each change, raw SQL included: to count them takes
-- as long as there are personas. The sum of all rows counts. SQLite has one writer, and needs one row; what comes from
-- PostgreSQL may bring others. Prisma does not know triggers: a migration that redefines the table must create them again.
--
-- INSERT OR REPLACE removes a row without a trigger, unless recursive_triggers is on. So "replaced" has, until the next
-- change of who is there, the persona that stood in the way of the last INSERT: its "is_active", then its id. If that
-- persona is inserted next, it was replaced: whatever else takes it away takes the note with it.

-- CreateTrigger
CREATE TRIGGER "personas_count_replaced" BEFORE INSERT ON "personas"
WHEN EXISTS (SELECT 1 FROM "personas" WHERE "id" = NEW."id") BEGIN
  INSERT INTO "persona_counts" ("slot", "total", "active", "replaced")
  SELECT 1, 0, 0, "is_active" || "id" FROM "personas" WHERE "id" = NEW."id"
  ON CONFLICT ("slot") DO UPDATE SET "replaced" = excluded."replaced";
END;

-- CreateTrigger
CREATE TRIGGER "personas_count_insert" AFTER INSERT ON "personas" BEGIN
  INSERT INTO "persona_counts" ("slot", "total", "active") VALUES (1, 1, NEW."is_active")
  ON CONFLICT ("slot") DO UPDATE SET
    "total" = "total" + 1 - (substr("replaced", 2) IS NEW."id"),
    "active" = "active" + NEW."is_active" - ("replaced" IS '1' || NEW."id"),
    "replaced" = NULL;
END;

-- CreateTrigger
CREATE TRIGGER "personas_count_update" AFTER UPDATE OF "is_active" ON "personas"
WHEN NEW."is_active" IS NOT OLD."is_active" BEGIN
  INSERT INTO "persona_counts" ("slot", "total", "active") VALUES (1, 0, NEW."is_active" - OLD."is_active")
  ON CONFLICT ("slot") DO UPDATE SET "active" = "active" + excluded."active";
END;

-- CreateTrigger
CREATE TRIGGER "personas_count_delete" AFTER DELETE ON "personas" BEGIN
  INSERT INTO "persona_counts" ("slot", "total", "active") VALUES (1, -1, -OLD."is_active")
  ON CONFLICT ("slot") DO UPDATE SET
    "total" = "total" - 1, "active" = "active" - OLD."is_active", "replaced" = NULL;
END;

-- CreateTrigger
-- UPDATE OR REPLACE, which gives a persona the id of another.
CREATE TRIGGER "personas_count_overwritten" BEFORE UPDATE OF "id" ON "personas"
WHEN NEW."id" IS NOT OLD."id" AND EXISTS (SELECT 1 FROM "personas" WHERE "id" = NEW."id") BEGIN
  INSERT INTO "persona_counts" ("slot", "total", "active", "replaced")
  SELECT 1, 0, 0, "is_active" || "id" FROM "personas" WHERE "id" = NEW."id"
  ON CONFLICT ("slot") DO UPDATE SET "replaced" = excluded."replaced";
END;

-- CreateTrigger
CREATE TRIGGER "personas_count_rename" AFTER UPDATE OF "id" ON "personas" WHEN NEW."id" IS NOT OLD."id" BEGIN
  UPDATE "persona_counts" SET
    "total" = "total" - (substr("replaced", 2) IS NEW."id"),
    "active" = "active" - ("replaced" IS '1' || NEW."id"),
    "replaced" = NULL
  WHERE "slot" = 1;
END;

-- Whoever wrote between the triggers and this is counted here. An empty table has no row, as one that was just created.
INSERT INTO "persona_counts" ("slot", "total", "active")
SELECT 1, count(*), count(*) FILTER (WHERE "is_active") FROM "personas" WHERE true
HAVING count(*) > 0 OR EXISTS (SELECT 1 FROM "persona_counts")
ON CONFLICT ("slot") DO UPDATE SET "total" = excluded."total", "active" = excluded."active";
