-- What happened to images, for those who have them open, by its number among all that happened to the image; image has the number of the newest.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE image ADD COLUMN IF NOT EXISTS events BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS image_event (
    image_id   BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    version    BIGINT NOT NULL, -- 0: it is not known what changed
    content_id VARCHAR(100),    -- NULL: all of the run may have changed
    revision   BIGINT NOT NULL,
    deleted    BOOLEAN NOT NULL,
    PRIMARY KEY (image_id, seq),
    CONSTRAINT image_event_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Who has an image open.
CREATE TABLE IF NOT EXISTS image_watcher (
    id             VARCHAR(100) PRIMARY KEY,
    image_id       BIGINT NOT NULL,
    user_id        BIGINT NOT NULL,
    until_datetime DATETIME(6) NOT NULL,
    INDEX image_watcher_image (image_id, until_datetime, user_id),
    CONSTRAINT image_watcher_of FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT image_watcher_by FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
