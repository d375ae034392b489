package app

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
	"glyphbox/internal/porttest/natstest"
)

// pagesOf uploads pages of so many lines and returns a job that reads each line.
func (c person) pagesOf(lineCount, n int) api.JobForm {
	c.t.Helper()
	lines := make([]string, lineCount)
	for i := range lines {
		lines[i] = fmt.Sprintf("%d. Boxes of white paper, %d sheets each: %d.50", i+1, 100+37*i, 12+i)
	}
	image, boxes := porttest.DrawLines(lines...)
	page, form := porttest.PNG(image), api.JobForm{}
	for i := range n {
		form.ImageIDs = append(form.ImageIDs, c.upload(fmt.Sprintf("page-%d.png", i), page).ID)
	}
	for _, b := range boxes {
		form.Regions = append(form.Regions, api.Region{Box: api.Box{X1: b.X1, Y1: b.Y1, X2: b.X2, Y2: b.Y2}})
	}
	return form
}

// BenchmarkItem reads pages by requests, two at once, and by jobs, in turn, on the embedded stores with one worker process. It tells what
// an item of a job takes for each time of a request.
func BenchmarkItem(b *testing.B) {
	for name, form := range map[string]func(c person, n int) api.JobForm{
		"a line":    func(c person, n int) api.JobForm { return firstLine(c.uploads(n)) },
		"ten lines": func(c person, n int) api.JobForm { return c.pagesOf(10, n) },
	} {
		b.Run(name, func(b *testing.B) {
			server, _ := spawn(b, b.TempDir(), "--ocr-workers", "1")
			ann := server.signUp("ann")
			const turn = 20
			pages := form(ann, turn)
			var byRequest, byJob time.Duration
			turns := max(2, b.N/turn)
			for range turns {
				begun := time.Now()
				var two errgroup.Group
				two.SetLimit(2)
				for _, id := range pages.ImageIDs {
					two.Go(func() error {
						_, err := ann.client().Recognize(b.Context(), id, api.Request{Regions: pages.Regions, Effort: pages.Effort})
						return err
					})
				}
				check.OK(b, "Recognize", two.Wait())
				byRequest += time.Since(begun)
				job, err := ann.client().AddJob(b.Context(), pages)
				check.OK(b, "AddJob", err)
				end := ann.followed(job.ID)
				check.Same(b, "read", end.Done, turn)
				byJob += at(b, *end.FinishedDatetime).Sub(at(b, end.CreatedDatetime))
			}
			b.ReportMetric(float64(byRequest.Milliseconds())/float64(turn*turns), "ms/request")
			b.ReportMetric(float64(byJob.Milliseconds())/float64(turn*turns), "ms/item")
			b.ReportMetric(byJob.Seconds()/byRequest.Seconds(), "item/request")
		})
	}
}

func at(b *testing.B, stamp string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	check.OK(b, "Parse", err)
	return t
}

// BenchmarkNodes has one node, and one with a worker node beside it, read the items of a job, ten lines of a page or a whole page of
// forty lines, each with one worker process.
// It tells the cost of an item in statements of SQL and in commits, those of nodes that look for work and of who follows the job included,
// and, on Linux, in milliseconds of CPU of each kind of process.
func BenchmarkNodes(b *testing.B) {
	for _, c := range []struct {
		item  string
		lines int
		nodes int
	}{{"ten lines", 10, 1}, {"ten lines", 10, 2}, {"whole page", 40, 1}, {"whole page", 40, 2}} {
		b.Run(fmt.Sprintf("%s/nodes=%d", c.item, c.nodes), func(b *testing.B) {
			cluster := natstest.Start(b)
			database := mariadbtest.Database(b)
			more := []string{"--database", database, "--mongodb", mongotest.URI(b), "--nats", cluster.URLs(), "--seal-file",
				file(b, "a secret of the nodes of this test, long enough"), "--ocr-workers", "1"}
			serving, _ := spawn(b, b.TempDir(), more...)
			ann := serving.signUp("ann")
			pages := ann.pagesOf(c.lines, max(b.N, 50))
			if c.item == "whole page" {
				pages.Regions = nil
			}
			for range c.nodes - 1 {
				spawn(b, b.TempDir(), append(more, "--role", "worker")...)
			}
			db := statusOf(b, database)
			statements, commits, before := db("Questions"), db("Com_commit"), cpuTimes()
			b.ResetTimer()
			job, err := ann.client().AddJob(b.Context(), pages)
			check.OK(b, "AddJob", err)
			end := ann.followed(job.ID)
			b.StopTimer()
			check.Same(b, "read", end.Done, len(pages.ImageIDs))
			n := float64(len(pages.ImageIDs))
			b.ReportMetric((db("Questions")-statements)/n, "statements/item")
			b.ReportMetric((db("Com_commit")-commits)/n, "commits/item")
			b.ReportMetric(n/b.Elapsed().Seconds(), "items/s")
			for kind, t := range cpuTimes() {
				b.ReportMetric(float64((t-before[kind]).Milliseconds())/n, kind+"-ms/item")
			}
		})
	}
}

// cpuTimes returns the CPU time that processes of this test have used, by what they are. It is empty where there is no /proc.
func cpuTimes() map[string]time.Duration {
	const tick = 10 * time.Millisecond
	sum, parents := map[string]time.Duration{}, map[string]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a right one
	used := map[string]time.Duration{}
	for _, stat := range stats {
		text, _ := os.ReadFile(stat) // what has ended has used nothing more
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 12 {
			pid := filepath.Base(filepath.Dir(stat))
			user, _ := strconv.Atoi(fields[11])
			system, _ := strconv.Atoi(fields[12])
			parents[pid], used[pid] = fields[1], time.Duration(user+system)*tick
		}
	}
	self := fmt.Sprint(os.Getpid())
	for pid, t := range used {
		top := pid
		for top != self && parents[top] != "" {
			top = parents[top]
		}
		if top != self {
			continue
		}
		line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		kind := "nats" // has no arguments
		for _, k := range []string{"mariadbd", "ferretdb", "serve", "worker"} {
			if strings.Contains(string(line), k) {
				kind = k
				break
			}
		}
		if pid == self {
			kind = "test"
		}
		sum[kind] += t
	}
	return sum
}

// statusOf reads counters of a MariaDB.
func statusOf(b *testing.B, address string) func(name string) float64 {
	u, err := url.Parse(address)
	check.OK(b, "Parse", err)
	password, _ := u.User.Password()
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = u.User.Username(), password, "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	connector, err := mysql.NewConnector(c)
	check.OK(b, "NewConnector", err)
	db := sql.OpenDB(connector)
	b.Cleanup(func() { check.OK(b, "Close", db.Close()) })
	return func(name string) (value float64) {
		var ignored string
		check.OK(b, "SHOW STATUS", db.QueryRowContext(b.Context(), `SHOW GLOBAL STATUS LIKE '`+name+`'`).Scan(&ignored, &value))
		return value
	}
}
