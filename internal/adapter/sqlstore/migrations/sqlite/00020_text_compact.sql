-- The text index in less space: entries name the row of their content instead of its ID, and blocks that are full have many terms in a row.
-- All images are announced, so that the service makes the index anew.

-- +goose Up
DROP TABLE text_entry;
CREATE TABLE text_entry (
    id       INTEGER PRIMARY KEY,
    ocr_id   INTEGER UNIQUE REFERENCES ocr (id) ON DELETE CASCADE, -- NULL for the name of an image
    image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    version  INTEGER NOT NULL, -- of the run; 0 for the name of an image
    revision INTEGER NOT NULL  -- of the content
);
CREATE INDEX text_entry_image ON text_entry (image_id, version);
DELETE FROM text_posting;

CREATE TABLE text_compact (
    id   INTEGER PRIMARY KEY, -- 65536 × block + part
    body BLOB NOT NULL        -- as package textindex says
);

INSERT INTO text_announced (image_id, created_datetime) SELECT id, '2000-01-01 00:00:00.000000' FROM image ORDER BY id;
