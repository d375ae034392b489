package workerpool

import (
	"context"
	"slices"
)

// task is a job on its way.
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
	done    chan outcome // has room for every task
}

// outcome is what became of a task.
type outcome struct {
	index  int
	answer Answer
	err    error
}

// queue is the tasks that no worker is free for. Method next takes turns between users, and between the orders of a user, so that
// a long order holds up nobody. Batch orders give way to others, but get every fourth turn. A queue is not safe for concurrent use.
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

// next takes out the task whose turn it is, or returns nil where none waits.
func (q *queue) next() *task {
	q.turns++
	first, second := &q.classes[0], &q.classes[1]
	if q.turns%batchTurn == 0 {
		first, second = second, first
	}
	t := first.next()
	if t == nil {
		t = second.next()
	}
	if t != nil {
		q.length--
	}
	return t
}

func (c *class) next() *task {
	if len(c.users) == 0 {
		return nil
	}
	user := c.users[0]
	o := user.orders[0]
	t := o.waiting[0]
	o.waiting = o.waiting[1:]
	user.orders = user.orders[1:]
	if len(o.waiting) > 0 {
		user.orders = append(user.orders, o)
	}
	c.users = c.users[1:]
	if len(user.orders) > 0 {
		c.users = append(c.users, user)
	}
	return t
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
