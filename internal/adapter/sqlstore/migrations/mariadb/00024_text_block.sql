-- Whose the entries of the text index are, a row for each block that is full. The service adds what is missing.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS text_block (
    block  BIGINT PRIMARY KEY,
    images BLOB NOT NULL -- as package textindex says
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
