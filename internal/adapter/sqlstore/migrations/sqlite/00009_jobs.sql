-- Jobs and their items, which are the outbox: a queue is filled from them. A run names the item of a job that it is of: an item makes one
-- run, however often it is delivered.

-- +goose Up
ALTER TABLE ocr_run ADD COLUMN item TEXT;
CREATE UNIQUE INDEX ocr_run_item ON ocr_run (item);

CREATE TABLE job (
    id                TEXT PRIMARY KEY NOT NULL,
    user_id           INTEGER NOT NULL REFERENCES user (id),
    priority          INTEGER NOT NULL,
    request           TEXT NOT NULL, -- JSON
    state             TEXT NOT NULL, -- besides those of the domain: adding
    total             INTEGER NOT NULL,
    queued            INTEGER NOT NULL,
    running           INTEGER NOT NULL,
    done              INTEGER NOT NULL,
    failed            INTEGER NOT NULL,
    cancelled         INTEGER NOT NULL,
    seq               INTEGER NOT NULL, -- of the newest change
    worked            INTEGER NOT NULL, -- microseconds
    created_datetime  TEXT NOT NULL,
    begun_datetime    TEXT,
    finished_datetime TEXT,
    error_code        TEXT,
    error_detail      TEXT
);
CREATE INDEX job_user ON job (user_id, id);
CREATE INDEX job_state ON job (state, id);
CREATE INDEX job_finished ON job (finished_datetime);

CREATE TABLE job_item (
    id                TEXT PRIMARY KEY NOT NULL,
    job_id            TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number            INTEGER NOT NULL,
    image_id          INTEGER NOT NULL, -- that may be deleted meanwhile
    state             TEXT NOT NULL,    -- besides those of the domain: dead
    version           INTEGER NOT NULL DEFAULT 0,
    tries             INTEGER NOT NULL DEFAULT 0,
    lapses            INTEGER NOT NULL DEFAULT 0, -- leases whose holder did not come back
    error_code        TEXT,
    error_detail      TEXT,
    leased_by         TEXT,
    until_datetime    TEXT,             -- of a running item: when its lease ends; of a queued one: when it may be offered again
    seq               INTEGER,          -- of its newest change
    begun_datetime    TEXT,
    finished_datetime TEXT
);
CREATE INDEX job_item_number ON job_item (job_id, number);
CREATE INDEX job_item_state ON job_item (job_id, state, number);
CREATE INDEX job_item_seq ON job_item (job_id, seq);
CREATE INDEX job_item_until ON job_item (state, until_datetime, id);

-- Its row is locked by who picks items for the queue.
CREATE TABLE job_feed (id INTEGER PRIMARY KEY NOT NULL);
INSERT INTO job_feed (id) VALUES (1);
