-- What documents are sorted by in the order of their names. The database makes those of images that are there when it is opened.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE image ADD COLUMN IF NOT EXISTS name_key VARBINARY(1000) NOT NULL DEFAULT ''; -- empty on later pages
ALTER TABLE image DROP INDEX IF EXISTS image_user_name, ADD INDEX image_user_name (user_id, later, name_key, id, visibility),
    DROP INDEX IF EXISTS image_visibility_name, ADD INDEX image_visibility_name (visibility, later, name_key, id, user_id),
    DROP INDEX IF EXISTS image_later_name, ADD INDEX image_later_name (later, name_key, id);
