package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// Server returns the server for a handler from New. Each phase of a connection has a time limit: the header of a request, waiting for
// the next one and, set by the handler for each request, standstill while a body is read or an answer is written. There is no limit on
// a whole request or answer here, so that large ones can take their time on slow connections.
func Server(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
