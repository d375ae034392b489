// Command ferretdb is a server that speaks MongoDB's protocol, for tests on machines without MongoDB: FerretDB on SQLite.
//
// It listens on loopback, prints its URI, and ends when its standard input does, that is, with the test that started
// it, however that ends. Without -dir it works in a directory of its own and removes it at the end.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ferretdb: ")
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	dir := flag.String("dir", "", "where to keep the data")
	flag.Parse()
	if err := serve(*addr, *dir); err != nil {
		log.Fatal(err)
	}
}

func serve(addr, dir string) error {
	if dir == "" {
		own, err := os.MkdirTemp("", "ferretdb-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(own)
		dir = own
	}
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: addr},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Handler:   "sqlite",
		SQLiteURL: "file:" + dir + "/",
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	fmt.Println(f.MongoDBURI())
	_, err = io.Copy(io.Discard, os.Stdin)
	cancel()
	if runErr := <-ended; err == nil {
		err = runErr
	}
	return err
}
