-- The text index in less space: entries name the row of their content instead of its ID, and blocks that are full have many terms in a row.
-- All images are announced, so that the service makes the index anew.

-- +goose NO TRANSACTION
-- +goose Up
DROP TABLE IF EXISTS text_entry;
CREATE TABLE text_entry (
    id       BIGINT PRIMARY KEY,
    ocr_id   BIGINT,          -- NULL for the name of an image
    image_id BIGINT NOT NULL,
    version  INT NOT NULL,    -- of the run; 0 for the name of an image
    revision BIGINT NOT NULL, -- of the content
    UNIQUE INDEX text_entry_ocr (ocr_id),
    INDEX text_entry_image (image_id, version),
    CONSTRAINT text_entry_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT text_entry_of_content FOREIGN KEY (ocr_id) REFERENCES ocr (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
TRUNCATE TABLE text_posting;

CREATE TABLE IF NOT EXISTS text_compact (
    id   BIGINT PRIMARY KEY, -- 65536 × block + part
    body BLOB NOT NULL       -- as package textindex says
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO text_announced (image_id, created_datetime) SELECT id, '2000-01-01 00:00:00.000000' FROM image ORDER BY id;
