-- For search: from each character on, what follows in an image's name. The database makes the rows of images that are there when it is opened.

-- +goose Up
CREATE TABLE image_suffix (
    suffix   BLOB NOT NULL,    -- the first bytes of what follows, folded
    image_id INTEGER NOT NULL,
    lcp      INTEGER NOT NULL, -- how many of these bytes the suffix before it of the same name, in their order, begins with too
    user_id  INTEGER NOT NULL, -- as in image
    shared   INTEGER NOT NULL, -- whether image.visibility is 'shared'
    PRIMARY KEY (suffix, image_id)
) WITHOUT ROWID;
