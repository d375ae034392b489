-- How many frames an animation has, of which the first is the page; 0 for anything else, and where nobody has counted.

-- +goose Up
ALTER TABLE image ADD COLUMN frames INTEGER NOT NULL DEFAULT 0;
