-- How far each page is proofread, for lists. Entries of before have no counts: all images are announced, so that the service counts them.

-- +goose Up
ALTER TABLE text_entry ADD COLUMN confirmed INTEGER; -- whether the region is; NULL: not counted yet
ALTER TABLE text_entry ADD COLUMN doubtful INTEGER;  -- words; NULL: not counted yet

CREATE TABLE text_proofread (
    image_id  INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    regions   INTEGER NOT NULL, -- of the newest run
    confirmed INTEGER NOT NULL, -- of these regions
    doubtful  INTEGER NOT NULL  -- words of the others
);

INSERT INTO text_announced (image_id, created_datetime) SELECT id, '2000-01-01 00:00:00.000000' FROM image ORDER BY id;
