-- Where the ends of jobs are told, and the deliveries, which are written in the transactions that end jobs and items.

-- +goose Up
CREATE TABLE webhook (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id           INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    url               TEXT NOT NULL,
    items             INTEGER NOT NULL, -- whether the ends of items are told, too
    secret            BLOB NOT NULL,    -- sealed
    former_secret     BLOB,             -- sealed
    former_datetime   TEXT,             -- until when the former secret signs, too
    created_datetime  TEXT NOT NULL,
    failing_datetime  TEXT,
    disabled_datetime TEXT,
    disabled_reason   TEXT
);
CREATE INDEX webhook_user ON webhook (user_id);

CREATE TABLE webhook_delivery (
    id               TEXT PRIMARY KEY NOT NULL,
    webhook_id       INTEGER NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    event            TEXT NOT NULL,
    body             TEXT NOT NULL, -- JSON
    state            TEXT NOT NULL,
    tries            INTEGER NOT NULL,
    due_datetime     TEXT,          -- of one that is leased: when the lease ends
    leased_by        TEXT,
    status           INTEGER NOT NULL,
    error            TEXT,
    created_datetime TEXT NOT NULL,
    tried_datetime   TEXT
);
CREATE INDEX webhook_delivery_list ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, state, due_datetime);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (due_datetime);

ALTER TABLE job ADD COLUMN webhook_id INTEGER; -- that may be deleted meanwhile
