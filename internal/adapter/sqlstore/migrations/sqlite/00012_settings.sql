-- What a user has set, for programs with a screen to begin with.

-- +goose Up
CREATE TABLE user_setting (
    user_id  INTEGER PRIMARY KEY NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    document TEXT NOT NULL -- JSON
);
