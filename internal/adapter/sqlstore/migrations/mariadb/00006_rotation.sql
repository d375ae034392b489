-- Degrees that the upright page is turned clockwise: of an image as it is now, when width and height are those of the turned page; of a run
-- as it was when it was made, when the coordinates of its contents are those of that page.

-- +goose Up
ALTER TABLE image ADD COLUMN IF NOT EXISTS rotation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ocr_run ADD COLUMN IF NOT EXISTS rotation INTEGER NOT NULL DEFAULT 0;
