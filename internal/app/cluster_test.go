package app

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
	"glyphbox/internal/porttest/natstest"
)

// nodesOn returns what starts a node on stores and queues that all nodes share, each node a process of its own, and those stores.
func nodesOn(t *testing.T, nats string) (run func(role string) (person, *exec.Cmd), on Config) {
	t.Helper()
	on = Config{DataDir: datadir.Dir(t.TempDir()), Database: mariadbtest.Database(t), MongoDB: mongotest.URI(t)}
	keys := file(t, command(t, "", "key", "new").want(t, exitOK, "").stdout)
	more := []string{"--database", on.Database, "--mongodb", on.MongoDB, "--nats", nats, "--keys-file", keys,
		"--seal-file", file(t, "a secret of the nodes of this test, long enough"), "--ocr-workers", "1",
		"--access-ttl", "24h"} // in full it takes longer than a token is valid
	return func(role string) (person, *exec.Cmd) { return spawn(t, t.TempDir(), append(more, "--role", role)...) }, on
}

// stored returns from the stores the runs of each page, and the contents of all of them. It asks for all contents at once: a server that
// compares each document with what is looked for takes long for one page after the other.
func stored(t *testing.T, on Config, pages []int64) (runs map[int64][]recognition.Run, contents []recognition.Content) {
	t.Helper()
	s, err := openStores(t.Context(), on)
	check.OK(t, "openStores", err)
	defer func() { check.OK(t, "Close", s.Close()) }()
	var ids []string
	runs = map[int64][]recognition.Run{}
	for _, id := range pages {
		runs[id], err = s.db.Runs().List(t.Context(), id, 0, 10)
		check.OK(t, "List", err)
		for _, run := range runs[id] {
			ids = append(ids, run.ContentIDs...)
		}
	}
	contents, err = s.contents.Get(t.Context(), ids)
	check.OK(t, "Get", err)
	check.Same(t, "contents", len(contents), len(ids))
	return runs, contents
}

// storedOnce checks in the stores that each page was read once.
func storedOnce(t *testing.T, on Config, pages []int64) {
	t.Helper()
	runs, contents := stored(t, on, pages)
	for id, runs := range runs {
		if len(runs) != 1 || runs[0].Version != 1 || len(runs[0].ContentIDs) != 1 {
			t.Errorf("image %d has the runs %+v", id, runs)
		}
	}
	_, lines, _ := drawn()
	for _, c := range contents {
		if c.Text != lines[0] || c.Revision != 1 {
			t.Errorf("a content is %+v", c)
		}
	}
}

// residentMemory is how many bytes of memory a process holds, 0 where the system does not tell.
func residentMemory(t *testing.T, cmd *exec.Cmd) (bytes int64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", cmd.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	check.OK(t, "ReadFile", err)
	var size, resident int64
	_, err = fmt.Sscan(string(status), &size, &resident)
	check.OK(t, "Sscan", err)
	return resident * int64(os.Getpagesize())
}

// TestWorkersAndNATSFail runs jobs on two serving nodes, two or three worker nodes and a cluster of three NATS servers, each a process of
// its own, while nodes and NATS servers are killed and held up. Each image is read once, whatever happens.
func TestWorkersAndNATSFail(t *testing.T) {
	pages, workers, rounds := 60, 2, 1
	if check.Soak() {
		pages, workers, rounds = 2000, 3, 8
	}
	cluster := natstest.Start(t)
	run, stores := nodesOn(t, cluster.URLs())
	watched, stays := run("all")
	_, other := run("all")
	working := make([]*exec.Cmd, workers)
	for i := range working {
		_, working[i] = run("worker")
	}
	ann := watched.signUp("ann")
	ids := ann.uploads(pages)

	signal := func(cmd *exec.Cmd, s syscall.Signal) { check.OK(t, "Signal", cmd.Process.Signal(s)) }
	var held []*exec.Cmd
	steps := []func(round int){
		func(n int) { kill(t, working[n%workers]); _, working[n%workers] = run("worker") },
		func(n int) { cluster.Kill(n % 3) },
		func(n int) { cluster.Run(n % 3) },
		func(n int) {
			i := (n + 1) % workers
			signal(working[i], syscall.SIGSTOP)
			held = append(held, working[i])
		},
		func(int) { kill(t, other); _, other = run("all") },
		func(n int) { cluster.Signal((n+1)%3, syscall.SIGSTOP) },
		func(n int) { cluster.Signal((n+1)%3, syscall.SIGCONT) },
		func(n int) { _, working[(n+1)%workers] = run("worker") }, // beside the one that is held
	}
	// Each step comes while a job is at work, however fast that is: it is begun for the step.
	var jobs []string
	var memory int64
	for taken, step := range slices.Repeat(steps, rounds) {
		if taken == len(steps)*rounds/3 { // by now it holds what it needs
			memory = residentMemory(t, stays)
		}
		job, err := ann.client().AddJob(t.Context(), firstLine(ids[taken*pages/(len(steps)*rounds):(taken+1)*pages/(len(steps)*rounds)]))
		check.OK(t, "AddJob", err)
		jobs = append(jobs, job.ID)
		ann.followedUntil(job.ID, func(e api.JobEvent) bool { return e.Job.Done+e.Job.Failed > 0 })
		step(taken / len(steps))
	}
	for _, id := range jobs {
		end := ann.followed(id)
		check.Same(t, "what is left of a job", fmt.Sprint(end.Queued, end.Running, end.Cancelled), "0 0 0")
	}
	now := residentMemory(t, stays)
	t.Logf("the server that stays holds %d MB after a third of the jobs and %d MB at its end", memory>>20, now>>20)
	if now > 2*memory+64<<20 {
		t.Errorf("the memory of a server grew from %d to %d bytes", memory, now)
	}
	for _, cmd := range held { // the process that was stopped goes on from what others have done meanwhile, and then stops cleanly
		signal(cmd, syscall.SIGCONT)
		signal(cmd, syscall.SIGTERM)
		check.OK(t, "a worker that was held", cmd.Wait())
	}
	for _, id := range jobs {
		failed, err := ann.client().JobItems(t.Context(), id, "failed", 0, 100)
		check.OK(t, "JobItems", err)
		for _, i := range failed {
			t.Errorf("item %d of job %s failed: %+v", i.Number, id, i.Error)
		}
	}
	storedOnce(t, stores, ids)
	ann.wantOneVersion(ids[:60])
}

// TestJobIsWatchedElsewhere starts a job of pages with ten regions each through one server, watches it through another, and cancels it
// there half-way: what was read until then is whole, and nothing else is read. A job that is done before it can be cancelled is followed by
// one of twice the pages.
func TestJobIsWatchedElsewhere(t *testing.T) {
	pages := 20
	if check.Soak() {
		pages = 2000
	}
	run, stores := nodesOn(t, natstest.Start(t).URLs())
	server, _ := run("all")
	other, _ := run("all")
	ann := server.signUp("ann")
	elsewhere := ann
	elsewhere.base = other.base
	for range 6 {
		if cancelledElsewhere(t, stores, ann, elsewhere, pages) {
			return
		}
		pages *= 2
	}
	t.Errorf("jobs of up to %d pages were done before they could be cancelled", pages/2)
}

// cancelledElsewhere reports whether a job that ann starts and elsewhere cancels half-way ended before all pages were read.
func cancelledElsewhere(t *testing.T, stores Config, ann, elsewhere person, pages int) bool {
	t.Helper()
	form := ann.pagesOf(10, pages)
	form.Effort = "fast"
	job, err := ann.client().AddJob(t.Context(), form)
	check.OK(t, "AddJob", err)
	last := int64(0)
	seen := elsewhere.followedUntil(job.ID, func(e api.JobEvent) bool {
		id, err := strconv.ParseInt(e.ID, 10, 64)
		check.OK(t, "ID of an event", err)
		if id < last || e.Name == "item" && id == last {
			t.Errorf("event %d comes after %d", id, last)
		}
		last = id
		return e.Name == "progress" && 2*e.Job.Done >= pages
	})
	if seen.State == "done" {
		return false
	}
	check.OK(t, "CancelJob", elsewhere.client().CancelJob(t.Context(), job.ID))
	end := ann.followed(job.ID)
	if end.Done < seen.Done || end.Done+end.Cancelled != pages || end.Failed != 0 {
		t.Errorf("%d were done when it was cancelled, and it ended as %+v", seen.Done, end)
	}
	read := 0
	runs, _ := stored(t, stores, form.ImageIDs)
	for id, runs := range runs {
		if len(runs) > 1 || len(runs) == 1 && len(runs[0].ContentIDs) != len(form.Regions) {
			t.Errorf("image %d has the runs %+v", id, runs)
		}
		read += len(runs)
	}
	check.Same(t, "pages that were read", read, end.Done)
	return end.State == "cancelled" && end.Cancelled > 0
}
