package app

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
	"glyphbox/internal/porttest/natstest"
)

// BenchmarkNodes has one node, and one with a worker node beside it, read the items of a job, each with one worker process. It tells the
// cost of an item in statements of SQL and in commits, those of nodes that look for work and of who follows the job included.
func BenchmarkNodes(b *testing.B) {
	for _, nodes := range []int{1, 2} {
		b.Run(fmt.Sprint("nodes=", nodes), func(b *testing.B) {
			cluster := natstest.Start(b)
			database := mariadbtest.Database(b)
			more := []string{"--database", database, "--mongodb", mongotest.URI(b), "--nats", cluster.URLs(), "--seal-file",
				file(b, "a secret of the nodes of this test, long enough"), "--ocr-workers", "1"}
			serving, _ := spawn(b, b.TempDir(), more...)
			ann := serving.signUp("ann")
			ids := ann.uploads(max(b.N, 50))
			for range nodes - 1 {
				spawn(b, b.TempDir(), append(more, "--role", "worker")...)
			}
			db := statusOf(b, database)
			statements, commits := db("Questions"), db("Com_commit")
			b.ResetTimer()
			job, err := ann.client().AddJob(b.Context(), firstLine(ids))
			check.OK(b, "AddJob", err)
			end := ann.followed(job.ID)
			b.StopTimer()
			check.Same(b, "read", end.Done, len(ids))
			n := float64(len(ids))
			b.ReportMetric((db("Questions")-statements)/n, "statements/item")
			b.ReportMetric((db("Com_commit")-commits)/n, "commits/item")
			b.ReportMetric(n/b.Elapsed().Seconds(), "items/s")
		})
	}
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
