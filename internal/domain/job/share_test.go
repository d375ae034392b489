package job

import (
	"testing"
	"time"

	"glyphbox/internal/porttest/check"
)

func TestShare(t *testing.T) {
	for name, c := range map[string]struct {
		open    []Open
		waiting int
		want    map[string]int
	}{
		"nothing":              {nil, 0, nil},
		"a job alone":          {[]Open{{ID: "a", User: 1, Queued: 100}}, 0, map[string]int{"a": 4}},
		"few items":            {[]Open{{ID: "a", User: 1, Queued: 2}}, 0, map[string]int{"a": 2}},
		"a queue that is full": {[]Open{{ID: "a", User: 1, Queued: 100}}, 4, nil},
		"more that run":        {[]Open{{ID: "a", User: 1, Queued: 100, Running: 8, Offered: 4}}, 4, map[string]int{"a": 16}},
		"who comes later": {[]Open{{ID: "a", User: 1, Queued: 100, Running: 4, Offered: 8}, {ID: "b", User: 2, Queued: 3}}, 8,
			map[string]int{"b": 3, "a": 1}},
		"two users": {[]Open{{ID: "a", User: 1, Queued: 100}, {ID: "b", User: 2, Queued: 100}}, 0,
			map[string]int{"a": 2, "b": 2}},
		"many jobs of one user are no more than one of another": {[]Open{{ID: "a", User: 1, Queued: 9}, {ID: "b", User: 1, Queued: 9},
			{ID: "c", User: 1, Queued: 9},
			{ID: "d", User: 2, Queued: 9}}, 0, map[string]int{"a": 1, "b": 1, "d": 2}},
		"priority is among jobs of one user": {[]Open{{ID: "a", User: 1, Queued: 9}, {ID: "b", User: 1, Queued: 9, Priority: High},
			{ID: "c", User: 2, Queued: 9, Priority: Low}}, 0,
			map[string]int{"b": 2, "c": 2}},
		"items that are offered are not offered twice": {[]Open{{ID: "a", User: 1, Queued: 3, Offered: 3}}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) { check.Same(t, "shares", Share(c.open, c.waiting), c.want) })
	}
}

// TestTurns has items run one after the other, and looks at who had how many by the time when each user had ten.
func TestTurns(t *testing.T) {
	open := []Open{{ID: "a", User: 1, Queued: 1000}, {ID: "b", User: 1, Queued: 1000}, {ID: "c", User: 2, Queued: 10},
		{ID: "d", User: 3, Queued: 10}}
	ran := map[string]int{}
	for open[2].Queued+open[3].Queued > 0 {
		for id := range Share(open, 3) {
			for i := range open {
				if open[i].ID == id {
					open[i].Queued--
					open[i].Running = 1 // whoever had a turn runs until the next one
				} else {
					open[i].Running = 0
				}
			}
			ran[id]++
		}
	}
	if ran["c"] != 10 || ran["d"] != 10 || ran["a"]+ran["b"] > 60 {
		t.Errorf("ran %v", ran)
	}
}

func TestForesee(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := []Open{{ID: "a", User: 1, Queued: 100, Running: 2}, {ID: "b", User: 2, Queued: 10},
		{ID: "c", User: 2, Queued: 5, Priority: High}, {ID: "d", User: 2, Queued: 50, Priority: Low}}
	for id, want := range map[string]Forecast{
		"a": {Ahead: 65, End: now.Add(166 * time.Second)}, // 165 items, two at once, and a half of those that run
		"b": {Ahead: 5 + 15, End: now.Add(31 * time.Second)},
		"c": {Ahead: 5, End: now.Add(11 * time.Second)},
		"x": {},
	} {
		check.Same(t, id, foresee(open, id, 2*time.Second, now), want)
	}
	check.Same(t, "when nothing runs", foresee(open[1:], "c", time.Second, now).End, time.Time{})
	check.Same(t, "when nothing is known", foresee(open, "c", 0, now).End, time.Time{})
}
