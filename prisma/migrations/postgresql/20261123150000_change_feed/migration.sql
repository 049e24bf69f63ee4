-- CreateTable
CREATE TABLE "change_feed" (
    "id" INTEGER NOT NULL,
    "epoch" TEXT NOT NULL,
    "floor" BIGINT NOT NULL,

    CONSTRAINT "change_feed_pkey" PRIMARY KEY ("id"),

    -- Written by hand: there is one row at most, and none until one is needed.
    CONSTRAINT "change_feed_id_check" CHECK ("id" = 1)
);
