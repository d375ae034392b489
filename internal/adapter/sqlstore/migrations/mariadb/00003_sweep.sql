-- What a sweeper looks for: which rows name a blob, and which contents were added before some time. The contents that are there count as
-- added now, so that none is taken for old whose run is on its way.

-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS image_original ON image (image_id);
CREATE INDEX IF NOT EXISTS image_thumbnail ON image (thumbnail_id);
ALTER TABLE content_revision ADD COLUMN IF NOT EXISTS added DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6);
CREATE INDEX IF NOT EXISTS content_revision_added ON content_revision (content_id, added);
