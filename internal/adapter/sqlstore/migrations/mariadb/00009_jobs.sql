-- Jobs and their items, which are the outbox: a queue is filled from them. A run names the item of a job that it is of: an item makes one
-- run, however often it is delivered.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE ocr_run ADD COLUMN IF NOT EXISTS item VARCHAR(60);
CREATE UNIQUE INDEX IF NOT EXISTS ocr_run_item ON ocr_run (item);

CREATE TABLE IF NOT EXISTS job (
    id                VARCHAR(40) PRIMARY KEY,
    user_id           BIGINT NOT NULL,
    priority          BIGINT NOT NULL,
    request           LONGTEXT NOT NULL, -- JSON
    state             VARCHAR(20) NOT NULL, -- besides those of the domain: adding
    total             BIGINT NOT NULL,
    queued            BIGINT NOT NULL,
    running           BIGINT NOT NULL,
    done              BIGINT NOT NULL,
    failed            BIGINT NOT NULL,
    cancelled         BIGINT NOT NULL,
    seq               BIGINT NOT NULL, -- of the newest change
    worked            BIGINT NOT NULL, -- microseconds
    created_datetime  DATETIME(6) NOT NULL,
    begun_datetime    DATETIME(6),
    finished_datetime DATETIME(6),
    error_code        VARCHAR(100),
    error_detail      TEXT,
    INDEX job_user (user_id, id),
    INDEX job_state (state, id),
    INDEX job_finished (finished_datetime),
    CONSTRAINT job_of FOREIGN KEY (user_id) REFERENCES user (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS job_item (
    id                VARCHAR(60) PRIMARY KEY,
    job_id            VARCHAR(40) NOT NULL,
    number            BIGINT NOT NULL,
    image_id          BIGINT NOT NULL, -- that may be deleted meanwhile
    state             VARCHAR(20) NOT NULL, -- besides those of the domain: dead
    version           BIGINT NOT NULL DEFAULT 0,
    tries             BIGINT NOT NULL DEFAULT 0,
    lapses            BIGINT NOT NULL DEFAULT 0, -- leases whose holder did not come back
    error_code        VARCHAR(100),
    error_detail      TEXT,
    leased_by         VARCHAR(40),
    until_datetime    DATETIME(6), -- of a running item: when its lease ends; of a queued one: when it may be offered again
    seq               BIGINT,      -- of its newest change
    begun_datetime    DATETIME(6),
    finished_datetime DATETIME(6),
    INDEX job_item_number (job_id, number),
    INDEX job_item_state (job_id, state, number),
    INDEX job_item_seq (job_id, seq),
    INDEX job_item_until (state, until_datetime, id),
    CONSTRAINT job_item_of FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Its row is locked by who picks items for the queue.
CREATE TABLE IF NOT EXISTS job_feed (id BIGINT PRIMARY KEY) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
INSERT IGNORE INTO job_feed (id) VALUES (1);
