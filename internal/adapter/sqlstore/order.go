package sqlstore

import (
	"context"
	"database/sql"

	"glyphbox/internal/adapter/sqlstore/sqldb"
)

// keyedAtOnce is for how many images one transaction makes keys.
const keyedAtOnce = 1000

// keyOlderNames makes the keys of documents that have none, since an older release has stored them.
func (db *DB) keyOlderNames(ctx context.Context) error {
	for more := true; more; {
		if err := db.Update(ctx, func(tx *sql.Tx) error {
			names := map[int64]string{}
			if err := sqldb.Each(ctx, tx, func(scan func(...any) error) error {
				var id int64
				var name string
				err := scan(&id, &name)
				names[id] = name
				return err
			}, `SELECT id, name FROM image /*! FORCE INDEX (image_later_name) */ WHERE later = 0 AND name_key = x'' LIMIT ?`,
				keyedAtOnce); err != nil {
				return err
			}
			for id, name := range names {
				if _, err := tx.ExecContext(ctx, `UPDATE image SET name_key = ? WHERE id = ?`, sqldb.NameKey(name), id); err != nil {
					return err
				}
			}
			more = len(names) == keyedAtOnce
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
