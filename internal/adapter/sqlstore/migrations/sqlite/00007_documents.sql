-- A file of several pages has a row for each. document is the id of the row of its first page, and null on that one; later is whether it is not null,
-- since MariaDB sorts the rows that an index has in their order behind a null. page is the page's number in the file, and pages how many rows the file
-- has: of files that are there only the first page was shown and read, so that they have one. seal is the sealed password of an encrypted file; failure
-- says, as JSON, why the page cannot be rendered.
--
-- Only first pages are listed and searched. A later page has no words to search for, and a thumbnail only once it was asked for.

-- +goose Up
ALTER TABLE image ADD COLUMN document INTEGER;
ALTER TABLE image ADD COLUMN later INTEGER NOT NULL DEFAULT 0;
ALTER TABLE image ADD COLUMN page INTEGER NOT NULL DEFAULT 1;
ALTER TABLE image ADD COLUMN seal BLOB;
ALTER TABLE image ADD COLUMN failure TEXT;
UPDATE image SET pages = 1 WHERE pages > 1;
CREATE UNIQUE INDEX image_page ON image (document, page);
CREATE INDEX image_later ON image (later, id);
DROP INDEX image_user;
CREATE INDEX image_user ON image (user_id, later, id, visibility);
DROP INDEX image_visibility;
CREATE INDEX image_visibility ON image (visibility, later, id, user_id);
DROP INDEX image_original;
CREATE INDEX image_original ON image (later, image_id);
