// Package natstest runs a cluster of NATS servers for tests, each a process of its own, which is the test binary started again: TestMain of
// the tests calls Main first.
package natstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/process"
)

// variable holds the options of a server in its process.
const variable = "GLYPHBOX_TEST_NATS"

// node are the options of a server.
type node struct {
	Name, Dir     string
	Port, Cluster int
	Routes        []string
}

// Main runs a server and does not return, where the process was started for one.
func Main() {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	var n node
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		panic(err)
	}
	o := &server.Options{ServerName: n.Name, Host: "127.0.0.1", Port: n.Port, JetStream: true, StoreDir: n.Dir, NoLog: true, NoSigs: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30,
		Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: n.Cluster}}
	for _, r := range n.Routes {
		u, err := url.Parse(r)
		if err != nil {
			panic(err)
		}
		o.Routes = append(o.Routes, u)
	}
	s, err := server.NewServer(o)
	if err != nil {
		panic(err)
	}
	s.Start()
	s.WaitForShutdown()
	os.Exit(0)
}

// Cluster is three servers with JetStream.
type Cluster struct {
	t     testing.TB
	nodes []node
	runs  []*exec.Cmd
}

// Start starts a cluster, which is killed when the test ends, and waits until it has a leader.
func Start(t testing.TB) *Cluster {
	t.Helper()
	const size = 3
	c := &Cluster{t: t, runs: make([]*exec.Cmd, size)}
	var routes []string
	for i := range size {
		c.nodes = append(c.nodes, node{Name: fmt.Sprint("n", i), Dir: filepath.Join(t.TempDir(), "nats"), Port: port(t), Cluster: port(t)})
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", c.nodes[i].Cluster))
	}
	for i := range size {
		c.nodes[i].Routes = routes
		c.Run(i)
	}
	t.Cleanup(func() {
		for i := range size {
			c.Kill(i)
		}
	})
	conn, err := nats.Connect(c.URLs(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	check.OK(t, "Connect", err)
	defer conn.Close()
	stream, err := conn.JetStream(nats.MaxWait(time.Second))
	check.OK(t, "JetStream", err)
	deadline := time.Now().Add(5 * time.Minute)
	done := func(what string, do func() error) {
		t.Helper()
		for err := do(); err != nil; err = do() {
			if time.Now().After(deadline) {
				t.Fatalf("the cluster has no leader: %s: %v", what, err)
			}
		}
	}
	done("AddStream", func() error { // it has a leader once it makes a stream of three copies
		_, err := stream.AddStream(&nats.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: size})
		return err
	})
	done("DeleteStream", func() error {
		err := stream.DeleteStream("probe")
		if errors.Is(err, nats.ErrStreamNotFound) { // it was deleted by a call whose answer came too late
			return nil
		}
		return err
	})
	return c
}

func port(t testing.TB) int {
	t.Helper()
	address, err := process.Address()
	check.OK(t, "Address", err)
	at, err := netip.ParseAddrPort(address)
	check.OK(t, "ParseAddrPort", err)
	return int(at.Port())
}

// URLs are those of all servers, as the setting nats has them.
func (c *Cluster) URLs() string {
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, fmt.Sprintf("nats://127.0.0.1:%d", n.Port))
	}
	return strings.Join(urls, ",")
}

// Run starts a server that does not run.
func (c *Cluster) Run(i int) {
	c.t.Helper()
	text, err := json.Marshal(c.nodes[i])
	check.OK(c.t, "Marshal", err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{variable + "=" + string(text)}
	cmd.Stderr = os.Stderr
	check.OK(c.t, "Start", cmd.Start())
	c.runs[i] = cmd
}

// Kill ends a server at once, if it runs.
func (c *Cluster) Kill(i int) {
	if cmd := c.runs[i]; cmd != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
		c.runs[i] = nil
	}
}

// Signal sends a signal to a server that runs: SIGSTOP, SIGCONT.
func (c *Cluster) Signal(i int, s syscall.Signal) {
	c.t.Helper()
	check.OK(c.t, "Signal", c.runs[i].Process.Signal(s))
}
