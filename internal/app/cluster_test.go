package app

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
	"glyphbox/internal/porttest/natstest"
)

// TestWorkersAndNATSFail runs a job on two serving nodes, two or three worker nodes and a cluster of three NATS servers, each a process of
// its own, while nodes and NATS servers are killed and held up. Each image is read once, whatever happens.
func TestWorkersAndNATSFail(t *testing.T) {
	pages, workers, rounds := 60, 2, 1
	if check.Soak() {
		pages, workers, rounds = 2000, 3, 8
	}
	cluster := natstest.Start(t)
	keys := file(t, command(t, "", "key", "new").want(t, exitOK, "").stdout)
	more := []string{"--database", mariadbtest.Database(t), "--mongodb", mongotest.URI(t), "--nats", cluster.URLs(), "--keys-file", keys,
		"--seal-file", file(t, "a secret of the nodes of this test, long enough"), "--ocr-workers", "1"}
	run := func(role string) (person, *exec.Cmd) { return spawn(t, t.TempDir(), append(more, "--role", role)...) }
	watched, _ := run("all")
	_, other := run("all")
	working := make([]*exec.Cmd, workers)
	for i := range working {
		_, working[i] = run("worker")
	}
	ann := watched.signUp("ann")
	ids := ann.uploads(pages)
	job, err := ann.client().AddJob(t.Context(), firstLine(ids))
	check.OK(t, "AddJob", err)

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
	last, taken := "", 0
	var end api.Job
	for end.State == "" {
		due := (taken + 1) * pages / (len(steps)*rounds + 1)
		err := ann.client().FollowJob(t.Context(), job.ID, last, func(e api.JobEvent) error {
			last = e.ID
			switch {
			case e.Name == "end":
				end = e.Job
			case e.Name == "progress" && taken < len(steps)*rounds && e.Job.Done+e.Job.Failed >= due:
				return errEnough
			}
			return nil
		})
		switch {
		case errors.Is(err, errEnough):
			steps[taken%len(steps)](taken / len(steps))
			taken++
		case err != nil && !errors.Is(err, api.ErrStreamEnded):
			t.Fatal(err)
		}
	}
	check.Same(t, "what was done to the nodes", taken, len(steps)*rounds)
	check.Same(t, "what is left of the job", fmt.Sprint(end.Queued, end.Running, end.Cancelled), "0 0 0")
	for _, cmd := range held { // who was held goes on with what others have done meanwhile, and stops in good order
		signal(cmd, syscall.SIGCONT)
		signal(cmd, syscall.SIGTERM)
		check.OK(t, "a worker that was held", cmd.Wait())
	}
	failed, err := ann.client().JobItems(t.Context(), job.ID, "failed", 0, 100)
	check.OK(t, "JobItems", err)
	for _, i := range failed {
		t.Errorf("item %d failed: %+v", i.Number, i.Error)
	}
	ann.wantOneVersion(ids)
}
