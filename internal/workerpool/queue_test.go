package workerpool

import (
	"fmt"
	"strings"
	"testing"
)

// orders makes the orders of a queue from words such as "a3", three tasks of user a, and "b9*", nine of user b in a batch.
func orders(q *queue, text string) (all []*order) {
	for word := range strings.FieldsSeq(text) {
		o := &order{user: int64(word[0]), batch: strings.HasSuffix(word, "*")}
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
		t := q.next()
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
