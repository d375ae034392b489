-- A file of several pages has a row for each. document is the id of the row of its first page, and null on that one; later is whether it is not null,
-- since MariaDB sorts the rows that an index has in their order behind a null. page is the page's number in the file, and pages how many rows the file
-- has: of files that are there only the first page was shown and read, so that they have one. seal is the sealed password of an encrypted file; failure
-- says, as JSON, why the page cannot be rendered.
--
-- Only first pages are listed and searched. A later page has no words to search for, and a thumbnail only once it was asked for.

-- +goose NO TRANSACTION
-- +goose Up
UPDATE image SET pages = 1 WHERE id > 0 AND pages > 1;
ALTER TABLE image ADD COLUMN IF NOT EXISTS document BIGINT, ADD COLUMN IF NOT EXISTS later BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN IF NOT EXISTS page BIGINT NOT NULL DEFAULT 1, ADD COLUMN IF NOT EXISTS seal VARBINARY(2000), ADD COLUMN IF NOT EXISTS failure TEXT;
ALTER TABLE image DROP INDEX IF EXISTS image_page, ADD UNIQUE INDEX image_page (document, page),
    DROP INDEX IF EXISTS image_later, ADD INDEX image_later (later, id, user_id, search),
    DROP INDEX IF EXISTS image_user, ADD INDEX image_user (user_id, later, id, visibility, search),
    DROP INDEX IF EXISTS image_visibility, ADD INDEX image_visibility (visibility, later, id, user_id, search),
    DROP INDEX IF EXISTS image_original, ADD INDEX image_original (later, image_id);
