-- What SQLite's tables are, for MariaDB. Here each statement commits by itself, so each can be run again: a start that broke off in the midst is
-- made good by the next one.
--
-- Texts are compared to the byte, trailing spaces too. Names and e-mails are unique whatever the case of ASCII letters and nothing else, which no
-- collation does: the keys of that are columns that the database makes. Times are UTC.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS role (
    id   BIGINT PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(100) NOT NULL UNIQUE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
INSERT IGNORE INTO role (id, name) VALUES (1, 'admin');

CREATE TABLE IF NOT EXISTS user (
    id               BIGINT PRIMARY KEY AUTO_INCREMENT,
    name             VARCHAR(255),
    password         VARCHAR(255),
    email            VARCHAR(320),
    created_datetime DATETIME(6) NOT NULL,
    role_id          BIGINT,
    search           VARBINARY(8000), -- name and e-mail, folded
    name_key         VARCHAR(255) AS (REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(name, 'A', 'a'), 'B', 'b'), 'C', 'c'), 'D', 'd'), 'E', 'e'), 'F', 'f'), 'G', 'g'), 'H', 'h'), 'I', 'i'), 'J', 'j'), 'K', 'k'), 'L', 'l'), 'M', 'm'), 'N', 'n'), 'O', 'o'), 'P', 'p'), 'Q', 'q'), 'R', 'r'), 'S', 's'), 'T', 't'), 'U', 'u'), 'V', 'v'), 'W', 'w'), 'X', 'x'), 'Y', 'y'), 'Z', 'z')) PERSISTENT UNIQUE,
    email_key        VARCHAR(320) AS (REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(email, 'A', 'a'), 'B', 'b'), 'C', 'c'), 'D', 'd'), 'E', 'e'), 'F', 'f'), 'G', 'g'), 'H', 'h'), 'I', 'i'), 'J', 'j'), 'K', 'k'), 'L', 'l'), 'M', 'm'), 'N', 'n'), 'O', 'o'), 'P', 'p'), 'Q', 'q'), 'R', 'r'), 'S', 's'), 'T', 't'), 'U', 'u'), 'V', 'v'), 'W', 'w'), 'X', 'x'), 'Y', 'y'), 'Z', 'z')) PERSISTENT UNIQUE,
    CONSTRAINT user_role FOREIGN KEY (role_id) REFERENCES role (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS state (
    id   BIGINT PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(100) NOT NULL UNIQUE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
INSERT IGNORE INTO state (id, name) VALUES (1, 'blocked'), (2, 'inactivate');

CREATE TABLE IF NOT EXISTS user_state (
    user_id          BIGINT NOT NULL,
    state_id         BIGINT NOT NULL,
    detail           TEXT,
    created_datetime DATETIME(6) NOT NULL,
    PRIMARY KEY (user_id, state_id),
    CONSTRAINT user_state_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
    CONSTRAINT user_state_state FOREIGN KEY (state_id) REFERENCES state (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS logged_in (
    id               BIGINT PRIMARY KEY AUTO_INCREMENT,
    user_id          BIGINT NOT NULL,
    created_datetime DATETIME(6) NOT NULL,
    address          VARCHAR(255),
    user_agent       TEXT,
    INDEX logged_in_user (user_id, id),
    CONSTRAINT logged_in_by FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS session (
    id               VARCHAR(100) PRIMARY KEY,
    user_id          BIGINT NOT NULL,
    refresh_hash     VARCHAR(255) NOT NULL,
    created_datetime DATETIME(6) NOT NULL,
    expires_datetime DATETIME(6) NOT NULL,
    revoked_datetime DATETIME(6),
    INDEX session_user (user_id, expires_datetime),
    CONSTRAINT session_of FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS api_key (
    id                 VARCHAR(100) PRIMARY KEY,
    user_id            BIGINT NOT NULL,
    name               VARCHAR(255) NOT NULL,
    secret_hash        VARCHAR(255) NOT NULL,
    created_datetime   DATETIME(6) NOT NULL,
    expires_datetime   DATETIME(6),
    last_used_datetime DATETIME(6),
    INDEX api_key_user (user_id, created_datetime),
    CONSTRAINT api_key_of FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS image (
    id               BIGINT PRIMARY KEY AUTO_INCREMENT,
    name             VARCHAR(255) NOT NULL,
    search           VARBINARY(2400) NOT NULL, -- the name, folded, which makes it three times as long at most
    media_type       VARCHAR(100) NOT NULL,
    width            BIGINT NOT NULL,
    height           BIGINT NOT NULL,
    pages            BIGINT NOT NULL,
    size             BIGINT NOT NULL,
    sha256           CHAR(64) NOT NULL,
    visibility       VARCHAR(20) NOT NULL,
    image_id         VARCHAR(255) NOT NULL,
    thumbnail_id     VARCHAR(255) NOT NULL,
    created_datetime DATETIME(6) NOT NULL,
    user_id          BIGINT NOT NULL,
    INDEX image_user (user_id, id, visibility, search), -- with all that a list looks at, keywords too
    INDEX image_visibility (visibility, id, user_id, search),
    CONSTRAINT image_of FOREIGN KEY (user_id) REFERENCES user (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- A run outlives its contents, so that no version is ever given twice.
CREATE TABLE IF NOT EXISTS ocr_run (
    image_id         BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    user_id          BIGINT NOT NULL,
    created_datetime DATETIME(6) NOT NULL,
    lang             TEXT NOT NULL, -- JSON
    psm              BIGINT NOT NULL,
    oem              BIGINT NOT NULL,
    engine           VARCHAR(255) NOT NULL,
    PRIMARY KEY (image_id, version),
    INDEX ocr_run_user (user_id),
    CONSTRAINT ocr_run_image FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT ocr_run_by FOREIGN KEY (user_id) REFERENCES user (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS ocr (
    id               BIGINT PRIMARY KEY AUTO_INCREMENT,
    version          BIGINT NOT NULL DEFAULT 1,
    created_datetime DATETIME(6) NOT NULL,
    image_id         BIGINT NOT NULL,
    user_id          BIGINT NOT NULL,
    content_id       VARCHAR(100) NOT NULL,
    position         BIGINT NOT NULL, -- of the region in its run
    UNIQUE INDEX ocr_content (content_id),
    UNIQUE INDEX ocr_position (image_id, version, position),
    INDEX ocr_user (user_id),
    CONSTRAINT ocr_image FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT ocr_by FOREIGN KEY (user_id) REFERENCES user (id),
    CONSTRAINT ocr_of_run FOREIGN KEY (image_id, version) REFERENCES ocr_run (image_id, version) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Rows are only ever inserted: the unique insert is the compare-and-set of a correction.
CREATE TABLE IF NOT EXISTS content_revision (
    content_id VARCHAR(100) NOT NULL,
    revision   BIGINT NOT NULL,
    document   LONGTEXT NOT NULL, -- JSON
    PRIMARY KEY (content_id, revision)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
