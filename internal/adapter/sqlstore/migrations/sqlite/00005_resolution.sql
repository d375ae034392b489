-- Pixels of an inch of paper, as the file says; 0 where it does not say.

-- +goose Up
ALTER TABLE image ADD COLUMN dpi INTEGER NOT NULL DEFAULT 0;
