-- How far each page is proofread, for lists. Entries of before have no counts: all images are announced, so that the service counts them.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE text_entry
    ADD COLUMN IF NOT EXISTS confirmed INT, -- whether the region is; NULL: not counted yet
    ADD COLUMN IF NOT EXISTS doubtful INT;  -- words; NULL: not counted yet

CREATE TABLE IF NOT EXISTS text_proofread (
    image_id  BIGINT PRIMARY KEY,
    regions   INT NOT NULL, -- of the newest run
    confirmed INT NOT NULL, -- of these regions
    doubtful  INT NOT NULL, -- words of the others
    CONSTRAINT text_proofread_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO text_announced (image_id, created_datetime) SELECT id, '2000-01-01 00:00:00.000000' FROM image ORDER BY id;
