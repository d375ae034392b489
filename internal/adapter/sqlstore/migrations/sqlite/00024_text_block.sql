-- Whose the entries of the text index are, a row for each block that is full. The service adds what is missing.

-- +goose Up
CREATE TABLE text_block (
    block  INTEGER PRIMARY KEY,
    images BLOB NOT NULL -- as package textindex says
);
