-- Keys by which clients name requests that are to take effect once, and what these made.

-- +goose Up
CREATE TABLE request_key (
    id               TEXT PRIMARY KEY NOT NULL, -- SHA-256 of the user and the key
    user_id          INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    request          TEXT NOT NULL,             -- SHA-256 of what is compared
    held_by          TEXT NOT NULL,
    until_datetime   TEXT NOT NULL,             -- when who holds it is taken for gone
    created_datetime TEXT NOT NULL,
    done             INTEGER NOT NULL,
    made             TEXT                       -- JSON; NULL: nothing yet
);
CREATE INDEX request_key_created ON request_key (created_datetime, id);
