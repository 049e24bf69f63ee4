-- CreateTable
CREATE TABLE "persona_counts" (
    "slot" INTEGER NOT NULL,
    "total" INTEGER NOT NULL,
    "active" INTEGER NOT NULL,
    "replaced" TEXT,

    CONSTRAINT "persona_counts_pkey" PRIMARY KEY ("slot")
);

-- How many personas there are is kept by triggers, in the transaction of each change, raw SQL included: to count them takes
-- as long as there are personas. The sum of all rows counts; one alone may be below zero. ("replaced" is SQLite's.)
--
-- One row would have every writer wait for the one before it until that has committed, and deadlock with it over a
-- persona. So a transaction takes a row that nobody else holds, or makes one: there are as many rows as there ever were
-- transactions at the same time. It remembers where the row's last version is: to find it by its key, a transaction of
-- many statements would pass all those before it. Prisma does not know triggers: a migration that redefines the table
-- must create them again. The function's rights are those of "personas_revision".

-- CreateFunction
CREATE FUNCTION "personas_count"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $count$
DECLARE
  more integer := 0;
  more_active integer := 0;
  held tid := nullif(current_setting('gator.counted_at', true), '')::tid;
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT count(*), count(*) FILTER (WHERE "is_active") INTO more, more_active FROM "added";
  ELSIF TG_OP = 'DELETE' THEN
    SELECT -count(*), -count(*) FILTER (WHERE "is_active") INTO more, more_active FROM "removed";
  ELSIF TG_OP = 'UPDATE' THEN
    more_active := NEW."is_active"::integer - OLD."is_active"::integer;
  ELSE
    DELETE FROM "persona_counts";
  END IF;
  IF more = 0 AND more_active = 0 THEN
    RETURN NULL;
  END IF;
  IF held IS NULL THEN
    SELECT ctid INTO held FROM "persona_counts" LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
  END IF;
  UPDATE "persona_counts" SET "total" = "total" + more, "active" = "active" + more_active
  WHERE ctid = held RETURNING ctid INTO held;
  IF NOT FOUND THEN
    -- By chance, so that two at once do not wait for each other here.
    INSERT INTO "persona_counts" AS own ("slot", "total", "active")
    VALUES ((random() * 2147483647)::integer, more, more_active)
    ON CONFLICT ("slot") DO UPDATE SET "total" = own."total" + more, "active" = own."active" + more_active
    RETURNING ctid INTO held;
  END IF;
  PERFORM set_config('gator.counted_at', held::text, true);
  RETURN NULL;
END $count$;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION "personas_count"() SET search_path = %I, pg_temp', current_schema());
END $$;

-- CreateTrigger
CREATE TRIGGER "personas_count_insert" AFTER INSERT ON "personas" REFERENCING NEW TABLE AS "added"
FOR EACH STATEMENT EXECUTE FUNCTION "personas_count"();

-- CreateTrigger
CREATE TRIGGER "personas_count_delete" AFTER DELETE ON "personas" REFERENCING OLD TABLE AS "removed"
FOR EACH STATEMENT EXECUTE FUNCTION "personas_count"();

-- CreateTrigger
CREATE TRIGGER "personas_count_truncate" AFTER TRUNCATE ON "personas"
FOR EACH STATEMENT EXECUTE FUNCTION "personas_count"();

-- CreateTrigger
-- Row by row: of most updates the condition is all that is paid.
CREATE TRIGGER "personas_count_update" AFTER UPDATE ON "personas" FOR EACH ROW
WHEN (NEW."is_active" <> OLD."is_active") EXECUTE FUNCTION "personas_count"();

-- The triggers' lock keeps writers out until this is committed. An empty table has no row, as one that was just created.
INSERT INTO "persona_counts" ("slot", "total", "active")
SELECT 1, count(*), count(*) FILTER (WHERE "is_active") FROM "personas" HAVING count(*) > 0;
