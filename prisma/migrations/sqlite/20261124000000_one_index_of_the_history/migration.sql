-- DropIndex
DROP INDEX "persona_revisions_persona_id_seq_at_idx";

-- DropIndex
DROP INDEX "persona_revisions_persona_id_version_idx";

-- CreateIndex
CREATE INDEX "persona_revisions_persona_id_seq_at_version_idx" ON "persona_revisions"("persona_id", "seq", "at", "version");
