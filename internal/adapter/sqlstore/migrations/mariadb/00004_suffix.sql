-- For search: from each character on, what follows in an image's name. The database makes the rows of images that are there when it is opened.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS image_suffix (
    suffix   VARBINARY(24) NOT NULL, -- the first bytes of what follows, folded
    image_id BIGINT NOT NULL,
    lcp      TINYINT NOT NULL,       -- how many of these bytes the suffix before it of the same name, in their order, begins with too
    user_id  BIGINT NOT NULL,        -- as in image
    shared   BOOLEAN NOT NULL,       -- whether image.visibility is 'shared'
    PRIMARY KEY (suffix, image_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
