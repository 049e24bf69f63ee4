-- CreateTable
CREATE TABLE "personas" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "appearance" TEXT NOT NULL,
    "personality" TEXT NOT NULL,
    "content_themes" TEXT NOT NULL DEFAULT '[]',
    "style_preferences" TEXT NOT NULL DEFAULT '{}',
    "default_content_rating" TEXT NOT NULL DEFAULT 'sfw',
    "allowed_content_ratings" TEXT NOT NULL DEFAULT '["sfw"]',
    "platform_restrictions" TEXT NOT NULL DEFAULT '{}',
    "base_appearance_description" TEXT,
    "base_image_path" TEXT,
    "appearance_locked" BOOLEAN NOT NULL DEFAULT false,
    "base_image_status" TEXT NOT NULL DEFAULT 'pending_upload',
    "is_active" BOOLEAN NOT NULL DEFAULT true,
    "generation_count" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" DATETIME NOT NULL,
    "updated_at" DATETIME NOT NULL,

    -- Prisma does not know CHECK constraints: these are written by hand, and test/prisma/migrations.spec.ts looks for
    -- each of them. A migration that redefines the table must state them again.
    CONSTRAINT "personas_default_content_rating_check" CHECK ("default_content_rating" IN ('sfw', 'moderate', 'nsfw')),
    CONSTRAINT "personas_base_image_status_check" CHECK ("base_image_status" IN ('pending_upload', 'draft', 'approved', 'rejected')),
    CONSTRAINT "personas_generation_count_check" CHECK ("generation_count" >= 0),
    CONSTRAINT "personas_version_check" CHECK ("version" >= 1),
    CONSTRAINT "personas_content_themes_check" CHECK (json_valid("content_themes") AND json_type("content_themes") = 'array'),
    CONSTRAINT "personas_style_preferences_check" CHECK (json_valid("style_preferences") AND json_type("style_preferences") = 'object'),
    CONSTRAINT "personas_allowed_content_ratings_check" CHECK (json_valid("allowed_content_ratings") AND json_type("allowed_content_ratings") = 'array'),
    CONSTRAINT "personas_platform_restrictions_check" CHECK (json_valid("platform_restrictions") AND json_type("platform_restrictions") = 'object'),
    CONSTRAINT "personas_appearance_locked_check" CHECK ("appearance_locked" IN (0, 1)),
    CONSTRAINT "personas_is_active_check" CHECK ("is_active" IN (0, 1))
);

-- CreateIndex
CREATE INDEX "personas_created_at_id_idx" ON "personas"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "personas_is_active_created_at_id_idx" ON "personas"("is_active", "created_at" DESC, "id" DESC);
