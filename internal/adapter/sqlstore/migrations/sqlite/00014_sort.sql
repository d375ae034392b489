-- What documents are sorted by in the order of their names. The database makes those of images that are there when it is opened.

-- +goose Up
ALTER TABLE image ADD COLUMN name_key BLOB NOT NULL DEFAULT x''; -- empty on later pages
CREATE INDEX image_user_name ON image (user_id, later, name_key, id, visibility);
CREATE INDEX image_visibility_name ON image (visibility, later, name_key, id, user_id);
CREATE INDEX image_later_name ON image (later, name_key, id);
