-- Limits of users. user.bytes is the sum of the sizes of a user's documents. In user_limit null is the limit of the configuration, and 0
-- none. user_work counts the items that were added to jobs, by the minute.

-- +goose Up
ALTER TABLE user ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE user SET bytes = (SELECT COALESCE(SUM(size), 0) FROM image WHERE image.user_id = user.id AND later = 0);

CREATE TABLE user_limit (
    user_id INTEGER PRIMARY KEY NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    images  INTEGER,
    bytes   INTEGER,
    queued  INTEGER,
    items   INTEGER
);

CREATE TABLE user_work (
    user_id       INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    slot_datetime TEXT NOT NULL, -- when the minute began
    items         INTEGER NOT NULL,
    PRIMARY KEY (user_id, slot_datetime)
);
INSERT INTO user_work (user_id, slot_datetime, items)
    SELECT user_id, SUBSTR(created_datetime, 1, 17) || '00.000000', SUM(total) FROM job
        WHERE created_datetime > DATETIME('now', '-1 day') GROUP BY 1, 2;

CREATE INDEX job_user_state ON job (user_id, state);
