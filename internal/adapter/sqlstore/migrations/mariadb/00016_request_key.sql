-- Keys by which clients name requests that are to take effect once, and what these made.

-- +goose Up
CREATE TABLE IF NOT EXISTS request_key (
    id               VARCHAR(64) PRIMARY KEY, -- SHA-256 of the user and the key
    user_id          BIGINT NOT NULL,
    request          VARCHAR(64) NOT NULL,    -- SHA-256 of what is compared
    held_by          VARCHAR(40) NOT NULL,
    until_datetime   DATETIME(6) NOT NULL,    -- when who holds it is taken for gone
    created_datetime DATETIME(6) NOT NULL,
    done             BIGINT NOT NULL,
    made             LONGTEXT,                -- JSON; NULL: nothing yet
    INDEX request_key_created (created_datetime, id),
    CONSTRAINT request_key_of FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
