package worker

import "slices"

// lru keeps a handful of values, the least recently used first. It has no bound of its own.
type lru[V any] struct {
	keys   []string
	values []V
}

func (l *lru[V]) len() int { return len(l.keys) }

func (l *lru[V]) get(key string) (v V, ok bool) {
	i := slices.Index(l.keys, key)
	if i < 0 {
		return v, false
	}
	v = l.values[i]
	l.keys, l.values = append(slices.Delete(l.keys, i, i+1), key), append(slices.Delete(l.values, i, i+1), v)
	return v, true
}

// put adds a value whose key is not there.
func (l *lru[V]) put(key string, v V) {
	l.keys, l.values = append(l.keys, key), append(l.values, v)
}

func (l *lru[V]) dropOldest() V {
	v := l.values[0]
	l.keys, l.values = slices.Delete(l.keys, 0, 1), slices.Delete(l.values, 0, 1)
	return v
}
