-- When a content was marked as deleted. For a time it can be brought back.

-- +goose Up
ALTER TABLE ocr ADD COLUMN deleted_datetime TEXT;
CREATE INDEX ocr_deleted ON ocr (deleted_datetime) WHERE deleted_datetime IS NOT NULL;
