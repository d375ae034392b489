// Package hookstore keeps webhooks and their deliveries in the tables webhook and webhook_delivery.
//
// Code that leases a delivery or ends a lease first locks the row of its webhook. Other transactions add deliveries with Enqueue.
package hookstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/webhook"
)

// Store is webhook.Hooks. Safe for concurrent use.
type Store struct{ db *sqldb.DB }

var _ webhook.Hooks = (*Store)(nil)

// New returns the webhooks in a database whose schema is that of package sqlstore.
func New(db *sqldb.DB) *Store { return &Store{db} }

// Enqueue adds the delivery of an event to a webhook, within the transaction of the event. It adds none if the webhook does not exist
// or does not want the event.
func Enqueue(ctx context.Context, tx *sql.Tx, hookID int64, e webhook.Event) error {
	d, err := e.Delivery(hookID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO webhook_delivery (id, webhook_id, event, body, state, tries, due_datetime, status, `+
		`created_datetime) SELECT ?, id, ?, ?, ?, 0, ?, 0, ? FROM webhook WHERE id = ? AND items >= ?`,
		d.ID, d.Event, d.Body, d.State, sqldb.Stamp(d.Due), sqldb.Stamp(d.Created), hookID, e.Item)
	return err
}

// Add implements webhook.Hooks.
func (s *Store) Add(ctx context.Context, h webhook.Hook) (webhook.Hook, error) {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO webhook (user_id, url, items, secret, former_secret, former_datetime, `+
			`created_datetime, failing_datetime, disabled_datetime, disabled_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			h.UserID, h.URL, h.Items, h.Secret, h.Former, sqldb.Stamp(h.FormerUntil), sqldb.Stamp(h.Created),
			sqldb.Stamp(h.FailingSince), sqldb.Stamp(h.Disabled), sqldb.Text(h.Reason)).Scan(&h.ID)
	})
	return h, s.db.OrphanOf(err, account.ErrUserNotFound)
}

const hookColumns = `SELECT id, user_id, url, items, secret, former_secret, former_datetime, created_datetime, failing_datetime, ` +
	`disabled_datetime, disabled_reason FROM webhook `

func scanHook(scan func(...any) error) (h webhook.Hook, err error) {
	err = scan(&h.ID, &h.UserID, &h.URL, &h.Items, &h.Secret, &h.Former, (*sqldb.Stamp)(&h.FormerUntil), (*sqldb.Stamp)(&h.Created),
		(*sqldb.Stamp)(&h.FailingSince), (*sqldb.Stamp)(&h.Disabled), (*sqldb.Text)(&h.Reason))
	return h, err
}

func hooks(ctx context.Context, q sqldb.Querier, where string, args ...any) ([]webhook.Hook, error) {
	return sqldb.All(ctx, q, scanHook, hookColumns+where, args...)
}

func hook(ctx context.Context, q sqldb.Querier, id int64, lock string) (webhook.Hook, error) {
	h, err := scanHook(q.QueryRowContext(ctx, hookColumns+`WHERE id = ?`+lock, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = webhook.ErrNotFound
	}
	return h, err
}

// ByID implements webhook.Hooks.
func (s *Store) ByID(ctx context.Context, id int64) (webhook.Hook, error) {
	h, err := hook(ctx, s.db.Read, id, "")
	return h, s.db.Fault(ctx, err)
}

// OfUser implements webhook.Hooks.
func (s *Store) OfUser(ctx context.Context, userID int64) ([]webhook.Hook, error) {
	found, err := hooks(ctx, s.db.Read, `/*! FORCE INDEX (webhook_user) */ WHERE user_id = ? ORDER BY id`, userID)
	return found, s.db.Fault(ctx, err)
}

// Update implements webhook.Hooks.
func (s *Store) Update(ctx context.Context, id int64, change func(*webhook.Hook) error) (h webhook.Hook, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		if h, err = hook(ctx, tx, id, s.db.Dialect.ForUpdate); err != nil {
			return err
		}
		if err := change(&h); err != nil {
			return err
		}
		return store(ctx, tx, h)
	})
	return h, err
}

func store(ctx context.Context, tx *sql.Tx, h webhook.Hook) error {
	_, err := tx.ExecContext(ctx, `UPDATE webhook SET url = ?, items = ?, secret = ?, former_secret = ?, former_datetime = ?, `+
		`failing_datetime = ?, disabled_datetime = ?, disabled_reason = ? WHERE id = ?`, h.URL, h.Items, h.Secret, h.Former,
		sqldb.Stamp(h.FormerUntil), sqldb.Stamp(h.FailingSince), sqldb.Stamp(h.Disabled), sqldb.Text(h.Reason), h.ID)
	return err
}

// Remove implements webhook.Hooks.
func (s *Store) Remove(ctx context.Context, id int64) error {
	n, err := s.db.Exec(ctx, `DELETE FROM webhook WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = webhook.ErrNotFound
	}
	return err
}

// RemoveAllOf implements webhook.Hooks.
func (s *Store) RemoveAllOf(ctx context.Context, userID int64) error {
	_, err := s.db.Exec(ctx, `DELETE FROM webhook WHERE user_id = ?`, userID)
	return err
}

const deliveryColumns = `SELECT id, webhook_id, event, body, state, tries, due_datetime, status, error, created_datetime, tried_datetime ` +
	`FROM webhook_delivery `

func scanDelivery(scan func(...any) error) (d webhook.Delivery, err error) {
	err = scan(&d.ID, &d.HookID, &d.Event, &d.Body, &d.State, &d.Tries, (*sqldb.Stamp)(&d.Due), &d.Answer.Status,
		(*sqldb.Text)(&d.Answer.Error), (*sqldb.Stamp)(&d.Created), (*sqldb.Stamp)(&d.Tried))
	return d, err
}

func deliveries(ctx context.Context, q sqldb.Querier, where string, args ...any) ([]webhook.Delivery, error) {
	return sqldb.All(ctx, q, scanDelivery, deliveryColumns+where, args...)
}

// Deliveries implements webhook.Hooks.
func (s *Store) Deliveries(ctx context.Context, hookID int64, before string, size int) ([]webhook.Delivery, error) {
	if before == "" {
		before = "~" // after all letters and digits
	}
	found, err := deliveries(ctx, s.db.Read, `/*! FORCE INDEX (webhook_delivery_list) */ WHERE webhook_id = ? AND id < ? `+
		`ORDER BY id DESC LIMIT ?`, hookID, before, size)
	return found, s.db.Fault(ctx, err)
}

// Replay implements webhook.Hooks.
func (s *Store) Replay(ctx context.Context, hookID int64, deliveryID string, now time.Time) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := hook(ctx, tx, hookID, s.db.Dialect.ForUpdate); err != nil {
			return err
		}
		var leasedBy sqldb.Text
		var due sqldb.Stamp // with a lease: its end
		err := tx.QueryRowContext(ctx, `SELECT leased_by, due_datetime FROM webhook_delivery WHERE id = ? AND webhook_id = ?`,
			deliveryID, hookID).Scan(&leasedBy, &due)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return webhook.ErrNoDelivery
		case err != nil:
			return err
		case leasedBy != "" && time.Time(due).After(now):
			return webhook.ErrTaken
		}
		_, err = tx.ExecContext(ctx, `UPDATE webhook_delivery SET state = ?, tries = 0, due_datetime = ?, leased_by = NULL WHERE id = ?`,
			webhook.Waiting, sqldb.Stamp(now), deliveryID)
		return err
	})
}

// firstDue is when the delivery of a webhook is due that is due first.
const firstDue = `(SELECT due_datetime FROM webhook_delivery /*! FORCE INDEX (webhook_delivery_due) */ WHERE webhook_id = webhook.id ` +
	`AND state = 'waiting' ORDER BY due_datetime LIMIT 1)`

// Due implements webhook.Hooks. It is asked for all the time, and most of the time nothing is due. One look into an index
// tells that, unless a disabled webhook has deliveries that wait; then it takes one look for each enabled webhook.
func (s *Store) Due(ctx context.Context, now time.Time) ([]webhook.Hook, error) {
	var first sqldb.Stamp
	err := s.db.Read.QueryRowContext(ctx, `SELECT MIN(due_datetime) FROM webhook_delivery /*! FORCE INDEX (webhook_delivery_waiting) */`).
		Scan(&first)
	if err != nil || time.Time(first).IsZero() || time.Time(first).After(now) {
		return nil, s.db.Fault(ctx, err)
	}
	found, err := hooks(ctx, s.db.Read, `WHERE disabled_datetime IS NULL AND `+firstDue+` <= ? ORDER BY id`, sqldb.Stamp(now))
	return found, s.db.Fault(ctx, err)
}

// Claim implements webhook.Hooks.
func (s *Store) Claim(ctx context.Context, hookID int64, leasedBy string, now, until time.Time,
	most int) (found []webhook.Delivery, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := hook(ctx, tx, hookID, s.db.Dialect.ForUpdate); err != nil {
			return err
		}
		found, err = deliveries(ctx, tx, `/*! FORCE INDEX (webhook_delivery_due) */ WHERE webhook_id = ? AND state = 'waiting' `+
			`AND due_datetime <= ? ORDER BY due_datetime LIMIT ?`, hookID, sqldb.Stamp(now), most)
		for i := range found {
			d := &found[i]
			d.Tries, d.Due = d.Tries+1, until.UTC().Truncate(time.Microsecond)
			if _, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET tries = ?, due_datetime = ?, leased_by = ? WHERE id = ?`, d.Tries,
				sqldb.Stamp(until), leasedBy, d.ID); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Finish implements webhook.Hooks.
func (s *Store) Finish(ctx context.Context, deliveryID, leasedBy string, change func(*webhook.Hook, *webhook.Delivery)) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		var hookID int64
		if err := tx.QueryRowContext(ctx, `SELECT webhook_id FROM webhook_delivery WHERE id = ?`, deliveryID).Scan(&hookID); err != nil {
			return err
		}
		h, err := hook(ctx, tx, hookID, s.db.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		d, err := scanDelivery(tx.QueryRowContext(ctx, deliveryColumns+`WHERE id = ? AND leased_by = ?`, deliveryID, leasedBy).Scan)
		if err != nil {
			return err
		}
		change(&h, &d)
		if _, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET state = ?, due_datetime = ?, leased_by = NULL, status = ?, `+
			`error = ?, tried_datetime = ? WHERE id = ?`, d.State, sqldb.Stamp(d.Due), d.Answer.Status, sqldb.Text(d.Answer.Error),
			sqldb.Stamp(d.Tried), deliveryID); err != nil {
			return err
		}
		return store(ctx, tx, h)
	})
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, webhook.ErrNotFound) {
		err = webhook.ErrTaken
	}
	return err
}

// Prune implements webhook.Hooks.
func (s *Store) Prune(ctx context.Context, beforeID string, most int) (int, error) {
	var last sqldb.Text
	err := s.db.Read.QueryRowContext(ctx, `SELECT MAX(id) FROM (SELECT id FROM webhook_delivery WHERE id < ? ORDER BY id LIMIT ?) AS old`,
		beforeID, most).Scan(&last)
	if err != nil || last == "" {
		return 0, s.db.Fault(ctx, err)
	}
	return s.db.Exec(ctx, `DELETE FROM webhook_delivery WHERE id <= ?`, string(last))
}

// Stats implements webhook.Hooks.
func (s *Store) Stats(ctx context.Context) (st webhook.Stats, err error) {
	err = s.db.Read.QueryRowContext(ctx, `SELECT COUNT(*), (SELECT MIN(`+firstDue+`) FROM webhook WHERE disabled_datetime IS NULL), `+
		`(SELECT COUNT(*) FROM webhook WHERE disabled_datetime IS NOT NULL AND disabled_reason <> 'user') FROM webhook_delivery `+
		`WHERE due_datetime IS NOT NULL`).Scan(&st.Waiting, (*sqldb.Stamp)(&st.Oldest), &st.Disabled)
	return st, s.db.Fault(ctx, err)
}
