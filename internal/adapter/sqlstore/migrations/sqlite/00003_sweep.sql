-- What a sweeper looks for: which rows name a blob, and which contents were added before some time. The contents that are there count as
-- added now, so that none is taken for old whose run is on its way. A column that is added cannot have the time as its default, so the
-- table is made anew.

-- +goose Up
CREATE INDEX image_original ON image (image_id);
CREATE INDEX image_thumbnail ON image (thumbnail_id);
CREATE TABLE content_revision_new (
    content_id TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    document   TEXT NOT NULL, -- JSON
    added      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    PRIMARY KEY (content_id, revision)
);
INSERT INTO content_revision_new (content_id, revision, document) SELECT content_id, revision, document FROM content_revision;
DROP TABLE content_revision;
ALTER TABLE content_revision_new RENAME TO content_revision;
CREATE INDEX content_revision_added ON content_revision (content_id, added);
