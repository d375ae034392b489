-- The item of a job that a run is of. An item makes one run, however often it is delivered.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE ocr_run ADD COLUMN IF NOT EXISTS item VARCHAR(60);
CREATE UNIQUE INDEX IF NOT EXISTS ocr_run_item ON ocr_run (item);
