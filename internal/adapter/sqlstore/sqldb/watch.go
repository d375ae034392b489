package sqldb

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// unsureAfter is how long nothing may come of a server before another connection is made to see whether it still answers.
const unsureAfter = 500 * time.Millisecond

// watchedConn is a connection whose reader tells a server that hangs from a statement that takes long.
type watchedConn struct {
	*net.TCPConn
	answers func() error // whether the server answers others; nil until the connection is made
	until   time.Time    // the reader's deadline; zero: none
}

// SetReadDeadline implements net.Conn. The driver calls it before each Read, and in the same goroutine.
func (c *watchedConn) SetReadDeadline(until time.Time) error {
	c.until = until
	return c.TCPConn.SetReadDeadline(until)
}

func (c *watchedConn) Read(p []byte) (int, error) {
	for c.answers != nil {
		look := time.Now().Add(unsureAfter)
		if !c.until.IsZero() && c.until.Before(look) {
			break
		}
		if err := c.TCPConn.SetReadDeadline(look); err != nil {
			return 0, err
		}
		n, err := c.TCPConn.Read(p)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			_ = c.TCPConn.SetReadDeadline(c.until) // a connection that is closed needs none
			return n, err
		}
		if c.answers() != nil {
			return 0, err
		}
	}
	if err := c.TCPConn.SetReadDeadline(c.until); err != nil {
		return 0, err
	}
	return c.TCPConn.Read(p)
}

// pulse tells whether a server answers. Those who ask at about the same time get the same answer.
type pulse struct {
	connector *connector

	mu  sync.Mutex
	at  time.Time
	err error
}

func (p *pulse) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.at.IsZero() && time.Since(p.at) < unsureAfter {
		return p.err
	}
	conn, err := p.connector.Connect(context.Background())
	if _, answered := errors.AsType[*mysql.MySQLError](err); answered { // such as that there are too many connections
		err = nil
	} else if err == nil {
		_ = conn.Close() // it has done its work
	}
	p.at, p.err = time.Now(), err
	return err
}
