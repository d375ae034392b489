-- For search in the texts of contents, the names of their regions, and those of images. The rows follow from what is stored elsewhere; images that are there are
-- announced, so that the service makes their rows.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS text_state (
    id   BIGINT PRIMARY KEY,
    next BIGINT NOT NULL -- ID of the next entry
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
INSERT IGNORE INTO text_state (id, next) VALUES (1, 1);

CREATE TABLE IF NOT EXISTS text_entry (
    id         BIGINT PRIMARY KEY,
    content_id VARCHAR(100),    -- NULL for the name of an image
    image_id   BIGINT NOT NULL,
    version    BIGINT NOT NULL, -- of the run; 0 for the name of an image
    revision   BIGINT NOT NULL, -- of the content
    UNIQUE INDEX text_entry_content (content_id),
    INDEX text_entry_image (image_id, version),
    CONSTRAINT text_entry_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- What has a term: entries with IDs from 8192 × block on.
CREATE TABLE IF NOT EXISTS text_posting (
    block INT NOT NULL,
    term  VARBINARY(64) NOT NULL,
    ids   BLOB NOT NULL, -- two bytes for each entry, ascending: its ID less the first one of the block
    PRIMARY KEY (block, term)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- What may change, or has changed, and may not be in the tables above.
CREATE TABLE IF NOT EXISTS text_announced (
    id               BIGINT PRIMARY KEY AUTO_INCREMENT,
    image_id         BIGINT NOT NULL,
    created_datetime DATETIME(6) NOT NULL,
    INDEX text_announced_image (image_id),
    CONSTRAINT text_announced_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
INSERT INTO text_announced (image_id, created_datetime) SELECT id, '2000-01-01 00:00:00.000000' FROM image ORDER BY id;
