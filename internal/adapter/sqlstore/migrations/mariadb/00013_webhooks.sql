-- Where the ends of jobs are told, and the deliveries, which are written in the transactions that end jobs and items.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS webhook (
    id                BIGINT PRIMARY KEY AUTO_INCREMENT,
    user_id           BIGINT NOT NULL,
    url               TEXT NOT NULL,
    items             BOOLEAN NOT NULL, -- whether the ends of items are told, too
    secret            VARBINARY(500) NOT NULL, -- sealed
    former_secret     VARBINARY(500),          -- sealed
    former_datetime   DATETIME(6),             -- until when the former secret signs, too
    created_datetime  DATETIME(6) NOT NULL,
    failing_datetime  DATETIME(6),
    disabled_datetime DATETIME(6),
    disabled_reason   VARCHAR(20),
    INDEX webhook_user (user_id),
    CONSTRAINT webhook_of FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS webhook_delivery (
    id               VARCHAR(40) PRIMARY KEY,
    webhook_id       BIGINT NOT NULL,
    event            VARCHAR(40) NOT NULL,
    body             TEXT NOT NULL, -- JSON
    state            VARCHAR(20) NOT NULL,
    tries            BIGINT NOT NULL,
    due_datetime     DATETIME(6), -- of one that is leased: when the lease ends
    leased_by        VARCHAR(40),
    status           BIGINT NOT NULL,
    error            TEXT,
    created_datetime DATETIME(6) NOT NULL,
    tried_datetime   DATETIME(6),
    INDEX webhook_delivery_list (webhook_id, id),
    INDEX webhook_delivery_due (webhook_id, state, due_datetime),
    INDEX webhook_delivery_waiting (due_datetime),
    CONSTRAINT webhook_delivery_of FOREIGN KEY (webhook_id) REFERENCES webhook (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

ALTER TABLE job ADD COLUMN IF NOT EXISTS webhook_id BIGINT; -- that may be deleted meanwhile
