-- What a user has set, for programs with a screen to begin with.

-- +goose Up
CREATE TABLE IF NOT EXISTS user_setting (
    user_id  BIGINT PRIMARY KEY,
    document TEXT NOT NULL, -- JSON
    CONSTRAINT user_setting_of FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
