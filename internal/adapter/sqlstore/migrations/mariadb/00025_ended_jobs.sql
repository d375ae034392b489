-- Jobs in the order in which they ended, to remove the old ones.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE job DROP INDEX IF EXISTS job_finished, ADD INDEX job_finished (finished_datetime, id);
