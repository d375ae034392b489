package workerpool

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// orders makes the orders of a queue from words such as "a3", three tasks of user a, and "b9*", nine of user b in a batch, each about a
// page of its own, whose key is the word.
func orders(q *queue, text string) (all []*order) {
	for word := range strings.FieldsSeq(text) {
		o := &order{user: int64(word[0]), batch: strings.HasSuffix(word, "*"), page: Page{Key: word}}
		for i := range int(word[1] - '0') {
			o.waiting = append(o.waiting, &task{order: o, index: i})
		}
		q.push(o)
		all = append(all, o)
	}
	return all
}

func turns(q *queue, n int) string {
	var got strings.Builder
	for range n {
		t := q.next(nothing, true)
		if t == nil {
			got.WriteString("-")
			continue
		}
		fmt.Fprintf(&got, "%c", rune(t.order.user))
	}
	return got.String()
}

func TestTurns(t *testing.T) {
	for _, c := range []struct{ name, orders, want string }{
		{"nothing waits", "", "-"},
		{"in order", "a3", "aaa-"},
		{"users take turns", "a4 b2", "ababaa-"},
		{"the orders of a user share its turns", "a2 a2 b4", "abababab-"},
		{"one user with much does not hold up another", "a9 b1", "abaaaaaaaa-"},
		{"batches give way, but get every fourth turn", "a9* b6", "bbbabbbaaaaaaaa-"},
	} {
		var q queue
		orders(&q, c.orders)
		waiting := q.length
		if got := turns(&q, waiting+1); got != c.want || q.length != 0 {
			t.Errorf("%s: got %s with %d left, want %s", c.name, got, q.length, c.want)
		}
	}
}

func TestDroppedOrdersMakeRoom(t *testing.T) {
	var q queue
	all := orders(&q, "a3 b2 a1")
	if got := turns(&q, 1); got != "a" {
		t.Fatalf("got %s", got)
	}
	if dropped := q.drop(all[0]); len(dropped) != 2 || q.length != 3 {
		t.Errorf("dropped %d, %d left", len(dropped), q.length)
	}
	if dropped := q.drop(all[0]); len(dropped) != 0 || q.length != 3 {
		t.Errorf("dropped %d again, %d left", len(dropped), q.length)
	}
	if got := turns(&q, 4); got != "bab-" {
		t.Errorf("got %s", got)
	}
}

// simulate has workers take tasks in rounds, of which each takes one time, and returns the pages that each was at and those that it opened.
func simulate(q *queue, workers int) (at, opened []string) {
	at, opened = make([]string, workers), make([]string, workers)
	held, tasks := make([]map[string]bool, workers), make([]*task, workers)
	for range q.length {
		for w := range workers {
			if tasks[w] != nil {
				tasks[w].order.running--
			}
			if tasks[w] = q.next(func(p Page) bool { return held[w][p.Key] }, true); tasks[w] == nil {
				continue
			}
			tasks[w].order.begun = time.Now().Add(time.Hour) // however slow this is, nothing has waited
			key := tasks[w].order.page.Key
			at[w] += key[:1]
			if !held[w][key] {
				opened[w] += key[:1]
			}
			if held[w] == nil {
				held[w] = map[string]bool{}
			}
			held[w][key] = true
		}
	}
	return at, opened
}

func TestWorkersStayWithAPage(t *testing.T) {
	for _, c := range []struct {
		name, orders string
		workers      int
		at, opened   string
	}{
		{"one page is read by all", "a6", 2, "aaa aaa", "a a"},
		{"each worker has a page", "a4 b4", 2, "aaaa bbbb", "a b"},
		{"a third page is begun at once", "a4 b4 c2", 2, "acaca bbbba", "ac ba"},
		{"one worker takes turns between its pages", "a3 b3", 1, "ababab", "ab"},
		{"who has nothing left helps", "a7 b2", 2, "aaaaa bbaa", "a ba"},
	} {
		var q queue
		orders(&q, c.orders)
		at, opened := simulate(&q, c.workers)
		if got := strings.Join(at, " "); got != c.at || strings.Join(opened, " ") != c.opened || q.length != 0 {
			t.Errorf("%s: got %s, which opened %s, with %d left, want %s and %s", c.name, got, opened, q.length, c.at, c.opened)
		}
	}
}

// An order that a worker has begun and left, as one does that broke or is long at another page, is not left for long.
func TestNoPageIsLeft(t *testing.T) {
	mine := func(p Page) bool { return p.Key == "b3" }
	for _, c := range []struct {
		name  string
		holds func(Page) bool
		at    int  // the order that another worker is at
		long  bool // no task of the first order was taken for a while
		opens bool
		want  string
	}{
		{"a worker with a page of its own", mine, 2, false, true, "b3"},
		{"a worker with a page that another one is at", mine, 1, false, true, "b3"},
		{"a worker with a page of its own, while another waits", mine, 2, true, true, "a3"},
		{"a worker that has just opened a page, while another waits", mine, 2, true, false, "b3"},
		{"a worker with a page of its own, while another is read", mine, 0, true, true, "b3"},
		{"a worker without a page", nothing, 0, false, true, "b3"},
		{"a worker without a page", nothing, 1, false, true, "a3"},
	} {
		var q queue
		all := orders(&q, "a3 b3 c3")
		for _, o := range all {
			q.next(nothing, true).order.running--
			o.begun = time.Now().Add(time.Hour)
		}
		if c.long {
			all[0].begun = time.Now().Add(-2 * left)
		}
		all[c.at].running++
		if got := q.next(c.holds, c.opens).order.page.Key; got != c.want {
			t.Errorf("%s: got %s, want %s, while another one is at %s", c.name, got, c.want, all[c.at].page.Key)
		}
	}
}

// A new order does not count as one that a worker opened for others, or it would never open one where new orders keep coming.
func TestOpenedForOthers(t *testing.T) {
	for _, c := range []struct {
		index int
		held  []string
		want  bool
	}{{0, nil, false}, {0, []string{"a"}, false}, {1, []string{"a"}, false}, {1, nil, true}, {1, []string{"b"}, true}} {
		s := &slot{proc: &process{held: c.held}}
		s.gets(&task{order: &order{page: Page{Key: "a"}}, index: c.index})
		if got := !s.opened.IsZero(); got != c.want {
			t.Errorf("job %d for a worker that holds %v: got %t", c.index, c.held, got)
		}
	}
}

// A job goes to the worker that keeps something about its part of the page, or else to one that holds the page, or else to one that is up.
func TestThePartOfAPage(t *testing.T) {
	none, up := &slot{}, &slot{proc: &process{}}
	page, part := &slot{proc: &process{held: []string{"a"}}}, &slot{proc: &process{held: []string{"a", "a/2"}}}
	for _, c := range []struct {
		page Page
		idle []*slot
		want *slot
	}{
		{Page{Key: "a", Part: "2"}, []*slot{part, page, up, none}, part},
		{Page{Key: "a", Part: "2"}, []*slot{none, up, page, part}, part},
		{Page{Key: "a", Part: "1"}, []*slot{page, up, none}, page},
		{Page{Key: "a"}, []*slot{page, up}, page},
		{Page{Key: "b", Part: "2"}, []*slot{up, none}, up},
		{Page{Key: "b"}, []*slot{none}, none},
	} {
		p := &Pool{idle: c.idle}
		if got := p.pick(c.page); got != c.want || len(p.idle) != len(c.idle)-1 {
			t.Errorf("%+v of %d: got %p, want %p", c.page, len(c.idle), got, c.want)
		}
	}
}
