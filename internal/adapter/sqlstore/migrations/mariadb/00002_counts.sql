-- How many images a user has, and how many of them are shared, so that a list need not count them.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE user ADD COLUMN IF NOT EXISTS images BIGINT NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS shared BIGINT NOT NULL DEFAULT 0;
UPDATE user SET images = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id),
    shared = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id AND visibility = 'shared');
