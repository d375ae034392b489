-- The users that documents are shared with by name, and the tags of documents. Both have what lists need of the document, as table image
-- has it: whose it is, who else sees it, and what names are sorted by. given is how many private documents are shared with a user.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE user ADD COLUMN IF NOT EXISTS given BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS image_share (
    image_id   BIGINT NOT NULL, -- of the first page
    reader_id  BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    shared     BOOLEAN NOT NULL, -- with everybody
    name_key   VARBINARY(1000) NOT NULL,
    PRIMARY KEY (image_id, reader_id),
    INDEX image_share_reader (reader_id, shared, image_id, user_id),
    INDEX image_share_reader_name (reader_id, shared, name_key, image_id, user_id),
    INDEX image_share_owner (reader_id, user_id, shared, image_id),
    INDEX image_share_owner_name (reader_id, user_id, shared, name_key, image_id),
    CONSTRAINT image_share_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT image_share_with FOREIGN KEY (reader_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS image_tag (
    image_id   BIGINT NOT NULL, -- of the first page
    tag        VARCHAR(50) NOT NULL, -- folded
    name       VARCHAR(50) NOT NULL, -- as it was written
    user_id    BIGINT NOT NULL,
    shared     BOOLEAN NOT NULL, -- with everybody
    name_key   VARBINARY(1000) NOT NULL,
    PRIMARY KEY (image_id, tag),
    INDEX image_tag_tag (tag, image_id, user_id),
    INDEX image_tag_tag_name (tag, name_key, image_id, user_id),
    INDEX image_tag_user (tag, user_id, image_id, shared),
    INDEX image_tag_user_name (tag, user_id, name_key, image_id, shared),
    INDEX image_tag_shared (tag, shared, image_id, user_id),
    INDEX image_tag_shared_name (tag, shared, name_key, image_id, user_id),
    -- For the tags of somebody, and those of others.
    INDEX image_tag_of_user (user_id, tag, name),
    INDEX image_tag_of_others (shared, tag, user_id, name),
    CONSTRAINT image_tag_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
