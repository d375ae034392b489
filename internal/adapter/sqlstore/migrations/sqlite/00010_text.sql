-- For search in the texts of contents, the names of their regions, and those of images. The rows follow from what is stored elsewhere; images that are there are
-- announced, so that the service makes their rows.

-- +goose Up
CREATE TABLE text_state (
    id   INTEGER PRIMARY KEY,
    next INTEGER NOT NULL -- ID of the next entry
);
INSERT INTO text_state (id, next) VALUES (1, 1);

CREATE TABLE text_entry (
    id         INTEGER PRIMARY KEY,
    content_id TEXT UNIQUE,      -- NULL for the name of an image
    image_id   INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL, -- of the run; 0 for the name of an image
    revision   INTEGER NOT NULL  -- of the content
);
CREATE INDEX text_entry_image ON text_entry (image_id, version);

-- What has a term: entries with IDs from 8192 × block on.
CREATE TABLE text_posting (
    block INTEGER NOT NULL,
    term  BLOB NOT NULL,
    ids   BLOB NOT NULL, -- two bytes for each entry, ascending: its ID less the first one of the block
    PRIMARY KEY (block, term)
) WITHOUT ROWID;

-- What may change, or has changed, and may not be in the tables above.
CREATE TABLE text_announced (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id         INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    created_datetime TEXT NOT NULL
);
CREATE INDEX text_announced_image ON text_announced (image_id);
INSERT INTO text_announced (image_id, created_datetime) SELECT id, '2000-01-01 00:00:00.000000' FROM image ORDER BY id;
