-- Jobs in the order in which they ended, to remove the old ones.

-- +goose Up
DROP INDEX job_finished;
CREATE INDEX job_finished ON job (finished_datetime, id);
