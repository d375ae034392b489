package workerpool

import (
	"context"
	"slices"
	"time"
)

// task is a job that waits or runs.
type task struct {
	order *order
	index int // of the job in the order
	job   Job
}

// order is the tasks of one call of Do.
type order struct {
	ctx     context.Context
	page    Page
	user    int64
	batch   bool
	once    bool
	waiting []*task
	begun   time.Time    // when the newest task was taken; zero before the first one
	running int          // tasks that workers are at
	done    chan outcome // has room for every task
}

// take takes out the first task that waits, for a worker.
func (o *order) take() *task {
	t := o.waiting[0]
	o.waiting, o.begun = o.waiting[1:], time.Now()
	o.running++
	return t
}

// outcome is what became of a task.
type outcome struct {
	index  int
	answer Answer
	err    error
}

// queue has the tasks that no worker is free for. Method next takes turns between users, and between the orders of a user, so that a long
// order holds up nobody. For some time it leaves an order to the workers that hold its page, so that not every worker has to open it; see
// docs/adr/0075-workers-stay-with-a-page.md. Batch orders give way to others, but get every fourth turn. A queue is not safe for concurrent
// use.
type queue struct {
	classes [2]class // interactive, batch
	turns   int
	length  int
}

// class is users in the order of their turns, each with its orders in the order of theirs.
type class struct{ users []*userOrders }

type userOrders struct {
	user   int64
	orders []*order
}

const batchTurn = 4

func (q *queue) class(o *order) *class {
	if o.batch {
		return &q.classes[1]
	}
	return &q.classes[0]
}

// push adds an order with all its waiting tasks.
func (q *queue) push(o *order) {
	q.length += len(o.waiting)
	c := q.class(o)
	i := slices.IndexFunc(c.users, func(u *userOrders) bool { return u.user == o.user })
	if i < 0 {
		c.users = append(c.users, &userOrders{user: o.user})
		i = len(c.users) - 1
	}
	c.users[i].orders = append(c.users[i].orders, o)
}

// next removes and returns the task that a worker does next, or nil if none waits. holds tells which pages the worker holds, and opens
// whether it may open another.
func (q *queue) next(holds func(Page) bool, opens bool) *task {
	q.turns++
	first, second := &q.classes[0], &q.classes[1]
	if q.turns%batchTurn == 0 {
		first, second = second, first
	}
	t := first.next(holds, opens)
	if t == nil {
		t = second.next(holds, opens)
	}
	if t != nil {
		q.length--
	}
	return t
}

func (c *class) next(holds func(Page) bool, opens bool) *task {
	i, k := c.pick(holds, opens)
	if i < 0 {
		return nil
	}
	user := c.users[i]
	o := user.orders[k]
	t := o.take()
	user.orders = slices.Delete(user.orders, k, k+1)
	if len(o.waiting) > 0 {
		user.orders = append(user.orders, o)
	}
	c.users = slices.Delete(c.users, i, i+1)
	if len(user.orders) > 0 {
		c.users = append(c.users, user)
	}
	return t
}

// left is how long an order on which no worker is busy waits for workers that hold its page, and how long a worker stays with its own pages
// after it has opened one.
const left = time.Second

// pick returns the index of a user and of one of their orders. It is the first in turn that is new; or whose page the worker holds while no
// other worker is busy on it; or, if the worker may open a page, on which nobody has been busy for some time. If there is none, it is the
// first whose page the worker holds, or else on which no other worker is busy, or else any. It returns a negative index if nothing waits.
func (c *class) pick(holds func(Page) bool, opens bool) (user, of int) {
	const held, alone = 2, 1
	user, best := -1, -1
	for i, u := range c.users {
		for k, o := range u.orders {
			if o.begun.IsZero() {
				return i, k
			}
			worth := 0
			if holds(o.page) {
				worth += held
			}
			if o.running == 0 {
				worth += alone
			}
			switch {
			case worth == held+alone, worth == alone && opens && time.Since(o.begun) > left:
				return i, k
			case worth > best:
				user, of, best = i, k, worth
			}
		}
	}
	return user, of
}

// drop takes out what still waits of an order and returns it.
func (q *queue) drop(o *order) []*task {
	c := q.class(o)
	for i, user := range c.users {
		k := slices.Index(user.orders, o)
		if k < 0 {
			continue
		}
		user.orders = slices.Delete(user.orders, k, k+1)
		if len(user.orders) == 0 {
			c.users = slices.Delete(c.users, i, i+1)
		}
		break
	}
	tasks := o.waiting
	o.waiting = nil
	q.length -= len(tasks)
	return tasks
}
