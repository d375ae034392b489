-- Limits of users. user.bytes is the sum of the sizes of a user's documents. In user_limit null is the limit of the configuration, and 0
-- none. user_work counts the items that were added to jobs, by the minute.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE user ADD COLUMN IF NOT EXISTS bytes BIGINT NOT NULL DEFAULT 0;
UPDATE user SET bytes = (SELECT COALESCE(SUM(size), 0) FROM image WHERE image.user_id = user.id AND later = 0);

CREATE TABLE IF NOT EXISTS user_limit (
    user_id BIGINT PRIMARY KEY,
    images  BIGINT,
    bytes   BIGINT,
    queued  BIGINT,
    items   BIGINT,
    CONSTRAINT user_limit_of FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS user_work (
    user_id       BIGINT NOT NULL,
    slot_datetime DATETIME(6) NOT NULL, -- when the minute began
    items         BIGINT NOT NULL,
    PRIMARY KEY (user_id, slot_datetime),
    CONSTRAINT user_work_of FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
REPLACE INTO user_work (user_id, slot_datetime, items)
    SELECT user_id, DATE_FORMAT(created_datetime, '%Y-%m-%d %H:%i:00'), SUM(total) FROM job
        WHERE created_datetime > UTC_TIMESTAMP() - INTERVAL 1 DAY GROUP BY 1, 2;

CREATE INDEX IF NOT EXISTS job_user_state ON job (user_id, state);
