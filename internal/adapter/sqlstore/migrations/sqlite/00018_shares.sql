-- The users that documents are shared with by name, and the tags of documents. Both have what lists need of the document, as table image
-- has it: whose it is, who else sees it, and what names are sorted by. given is how many private documents are shared with a user.

-- +goose Up
ALTER TABLE user ADD COLUMN given INTEGER NOT NULL DEFAULT 0;

CREATE TABLE image_share (
    image_id   INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE, -- of the first page
    reader_id  INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL,
    shared     INTEGER NOT NULL, -- with everybody
    name_key   BLOB NOT NULL,
    PRIMARY KEY (image_id, reader_id)
) WITHOUT ROWID;
CREATE INDEX image_share_reader ON image_share (reader_id, shared, image_id, user_id);
CREATE INDEX image_share_reader_name ON image_share (reader_id, shared, name_key, image_id, user_id);
CREATE INDEX image_share_owner ON image_share (reader_id, user_id, shared, image_id);
CREATE INDEX image_share_owner_name ON image_share (reader_id, user_id, shared, name_key, image_id);

CREATE TABLE image_tag (
    image_id   INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE, -- of the first page
    tag        TEXT NOT NULL, -- folded
    name       TEXT NOT NULL, -- as it was written
    user_id    INTEGER NOT NULL,
    shared     INTEGER NOT NULL, -- with everybody
    name_key   BLOB NOT NULL,
    PRIMARY KEY (image_id, tag)
) WITHOUT ROWID;
CREATE INDEX image_tag_tag ON image_tag (tag, image_id, user_id);
CREATE INDEX image_tag_tag_name ON image_tag (tag, name_key, image_id, user_id);
CREATE INDEX image_tag_user ON image_tag (tag, user_id, image_id, shared);
CREATE INDEX image_tag_user_name ON image_tag (tag, user_id, name_key, image_id, shared);
CREATE INDEX image_tag_shared ON image_tag (tag, shared, image_id, user_id);
CREATE INDEX image_tag_shared_name ON image_tag (tag, shared, name_key, image_id, user_id);
-- For the tags of somebody, and those of others.
CREATE INDEX image_tag_of_user ON image_tag (user_id, tag, name);
CREATE INDEX image_tag_of_others ON image_tag (shared, tag, user_id, name);
