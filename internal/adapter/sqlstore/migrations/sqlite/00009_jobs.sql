-- The item of a job that a run is of. An item makes one run, however often it is delivered.

-- +goose Up
ALTER TABLE ocr_run ADD COLUMN item TEXT;
CREATE UNIQUE INDEX ocr_run_item ON ocr_run (item);
