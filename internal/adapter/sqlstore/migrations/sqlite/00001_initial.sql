-- Times are text 'YYYY-MM-DD HH:MM:SS.ffffff' in UTC, whose order is that of time. Ids of images are never used again
-- (AUTOINCREMENT), so that a later image always has a greater one.

-- +goose Up
CREATE TABLE role (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
INSERT INTO role (name) VALUES ('admin');

CREATE TABLE user (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT COLLATE NOCASE UNIQUE,
    password         TEXT,
    email            TEXT COLLATE NOCASE UNIQUE,
    created_datetime TEXT NOT NULL,
    role_id          INTEGER REFERENCES role (id),
    search           TEXT -- name and e-mail, folded
);

CREATE TABLE state (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
INSERT INTO state (name) VALUES ('blocked'), ('inactivate');

CREATE TABLE user_state (
    user_id          INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    state_id         INTEGER NOT NULL REFERENCES state (id),
    detail           TEXT,
    created_datetime TEXT NOT NULL,
    PRIMARY KEY (user_id, state_id)
);

CREATE TABLE logged_in (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id          INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created_datetime TEXT NOT NULL,
    address          TEXT,
    user_agent       TEXT
);
CREATE INDEX logged_in_user ON logged_in (user_id, id);

CREATE TABLE session (
    id               TEXT PRIMARY KEY NOT NULL,
    user_id          INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    refresh_hash     TEXT NOT NULL,
    created_datetime TEXT NOT NULL,
    expires_datetime TEXT NOT NULL,
    revoked_datetime TEXT
);
CREATE INDEX session_user ON session (user_id, expires_datetime);

CREATE TABLE api_key (
    id                 TEXT PRIMARY KEY NOT NULL,
    user_id            INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name               TEXT NOT NULL,
    secret_hash        TEXT NOT NULL,
    created_datetime   TEXT NOT NULL,
    expires_datetime   TEXT,
    last_used_datetime TEXT
);
CREATE INDEX api_key_user ON api_key (user_id, created_datetime);

CREATE TABLE image (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL,
    search           TEXT NOT NULL, -- the name, folded
    media_type       TEXT NOT NULL,
    width            INTEGER NOT NULL,
    height           INTEGER NOT NULL,
    pages            INTEGER NOT NULL,
    size             INTEGER NOT NULL,
    sha256           TEXT NOT NULL,
    visibility       TEXT NOT NULL,
    image_id         TEXT NOT NULL,
    thumbnail_id     TEXT NOT NULL,
    created_datetime TEXT NOT NULL,
    user_id          INTEGER NOT NULL REFERENCES user (id)
);
CREATE INDEX image_user ON image (user_id, id, visibility);
CREATE INDEX image_visibility ON image (visibility, id, user_id);

-- A run outlives its contents, so that no version is ever given twice.
CREATE TABLE ocr_run (
    image_id         INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    version          INTEGER NOT NULL,
    user_id          INTEGER NOT NULL REFERENCES user (id),
    created_datetime TEXT NOT NULL,
    lang             TEXT NOT NULL, -- JSON
    psm              INTEGER NOT NULL,
    oem              INTEGER NOT NULL,
    engine           TEXT NOT NULL,
    PRIMARY KEY (image_id, version)
);

CREATE TABLE ocr (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    version          INTEGER NOT NULL DEFAULT 1,
    created_datetime TEXT NOT NULL,
    image_id         INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    user_id          INTEGER NOT NULL REFERENCES user (id),
    content_id       TEXT NOT NULL UNIQUE,
    position         INTEGER NOT NULL, -- of the region in its run
    UNIQUE (image_id, version, position),
    FOREIGN KEY (image_id, version) REFERENCES ocr_run (image_id, version) ON DELETE CASCADE
);

-- Rows are only ever inserted: the unique insert is the compare-and-set of a correction.
CREATE TABLE content_revision (
    content_id TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    document   TEXT NOT NULL, -- JSON
    PRIMARY KEY (content_id, revision)
);
