-- When a content was marked as deleted. For a time it can be brought back. A run names the engines of all contents that were ever added to it.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE ocr_run MODIFY COLUMN engine VARCHAR(2000) NOT NULL;
ALTER TABLE ocr ADD COLUMN IF NOT EXISTS deleted_datetime DATETIME(6);
CREATE INDEX IF NOT EXISTS ocr_deleted ON ocr (deleted_datetime);
