-- What happened to images, for those who have them open, by its number among all that happened to the image; image has the number of the newest.

-- +goose Up
ALTER TABLE image ADD COLUMN events INTEGER NOT NULL DEFAULT 0;

CREATE TABLE image_event (
    image_id   INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    version    INTEGER NOT NULL, -- 0: it is not known what changed
    content_id TEXT,             -- NULL: all of the run may have changed
    revision   INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    PRIMARY KEY (image_id, seq)
) WITHOUT ROWID;

-- Who has an image open.
CREATE TABLE image_watcher (
    id             TEXT PRIMARY KEY NOT NULL,
    image_id       INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    user_id        INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    until_datetime TEXT NOT NULL
);
CREATE INDEX image_watcher_image ON image_watcher (image_id, until_datetime, user_id);
