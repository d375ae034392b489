package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// Server makes the server of a handler from New. Each phase of a connection has a limit: the header of a request, waiting
// for the next one, and, set by the handler with each request, standstill while a body is read or an answer is written. There
// is no limit for all of a request or an answer here, so that large ones can take their time on slow lines.
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
