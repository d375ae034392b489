package porttest

import (
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

func someKey(id string, user account.User, n int) account.Key {
	return account.Key{ID: id, UserID: user.ID, Name: "열쇠 🔑 " + id, SecretHash: "hash of " + id, Created: moment(n)}
}

func addKey(t *testing.T, s Stores, k account.Key) account.Key {
	t.Helper()
	check.OK(t, "AddKey", s.Keys.AddKey(t.Context(), k))
	k.Created, k.Expires, k.LastUsed = k.Created.UTC(), k.Expires.UTC(), k.LastUsed.UTC()
	return k
}

func wantKeys(t *testing.T, s Stores, userID int64, want ...account.Key) {
	t.Helper()
	got, err := s.Keys.KeysOf(t.Context(), userID)
	check.OK(t, "KeysOf", err)
	same(t, "KeysOf", got, want)
}

// Keys is the suite of account.Keys.
func Keys(t *testing.T, open func(t *testing.T) Stores) {
	t.Run("AddKey, Key and KeysOf", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		first := addKey(t, s, someKey("K9", ann, 1))
		k := someKey("K5", ann, 2)
		k.Expires, k.LastUsed = time.Date(2098, 1, 2, 3, 4, 5, 678901000, seoul), moment(4)
		second := addKey(t, s, k)
		k = someKey("K7", ann, 3)
		k.Expires = moment(4) // lapsed long ago
		third := addKey(t, s, k)
		others := addKey(t, s, someKey("K1", bob, 2))
		for _, want := range []account.Key{first, second, third, others} {
			got, err := s.Keys.Key(t.Context(), want.ID)
			check.OK(t, "Key", err)
			same(t, "Key", got, want)
		}
		wantKeys(t, s, ann.ID, third, second, first)
		wantKeys(t, s, bob.ID, others)
		wantKeys(t, s, bob.ID+100)
		_, err := s.Keys.Key(t.Context(), "K2")
		check.Kind(t, "Key of another ID", err, fault.NotFound)
		_, err = s.Keys.Key(t.Context(), "")
		check.Kind(t, "Key of no ID", err, fault.NotFound)
	})

	t.Run("UseKey", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		k, other := addKey(t, s, someKey("K1", ann, 1)), addKey(t, s, someKey("K2", ann, 2))
		check.OK(t, "UseKey", s.Keys.UseKey(t.Context(), "K1", moment(7)))
		k.LastUsed = moment(7).UTC()
		wantKeys(t, s, ann.ID, other, k)
		check.OK(t, "UseKey of a key that is gone", s.Keys.UseKey(t.Context(), "K3", moment(7)))
	})

	t.Run("DeleteKey", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		first, second := addKey(t, s, someKey("K1", ann, 1)), addKey(t, s, someKey("K2", ann, 2))
		check.Kind(t, "DeleteKey of somebody else's", s.Keys.DeleteKey(t.Context(), bob.ID, "K1"), fault.NotFound)
		wantKeys(t, s, ann.ID, second, first)
		check.OK(t, "DeleteKey", s.Keys.DeleteKey(t.Context(), ann.ID, "K1"))
		wantKeys(t, s, ann.ID, second)
		_, err := s.Keys.Key(t.Context(), "K1")
		check.Kind(t, "Key", err, fault.NotFound)
		check.Kind(t, "DeleteKey again", s.Keys.DeleteKey(t.Context(), ann.ID, "K1"), fault.NotFound)
	})

	t.Run("DeleteKeysOf", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		addKey(t, s, someKey("K1", ann, 1))
		addKey(t, s, someKey("K2", ann, 2))
		others := addKey(t, s, someKey("K3", bob, 3))
		check.OK(t, "DeleteKeysOf", s.Keys.DeleteKeysOf(t.Context(), ann.ID))
		wantKeys(t, s, ann.ID)
		wantKeys(t, s, bob.ID, others)
		check.OK(t, "DeleteKeysOf again", s.Keys.DeleteKeysOf(t.Context(), ann.ID))
	})
}
