package app

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	api "glyphbox/client"
	"glyphbox/internal/domain/recognition"
)

// tokenVariable is the environment variable of a token for --server.
const tokenVariable = envPrefix + "TOKEN"

const (
	uploadsAtOnce = 4                // files that a service reads at once; they are in memory
	tries         = 20               // of a request that the service is too busy for
	cleanUpTime   = 10 * time.Second // for what is done after the end
)

func serviceFlags(flags *pflag.FlagSet) (server, token, user *string, keep *bool) {
	server = flags.String("server", "", "Address of a running service to read with, such as https://ocr.example.org.")
	token = flags.String(
		"token", "", "API key or access token for --server. Use the variable "+tokenVariable+" to hide it from others on this machine.")
	user = flags.String("user", "", "User to sign in as at --server, if there is no token.")
	keep = flags.Bool("keep", false, "Keep the images and the results on --server.")
	return server, token, user, keep
}

// session is a user at a service. It renews a token that it got by a password when that has expired.
type session struct {
	name, password string // empty: the token is given

	mu     sync.Mutex
	client api.Client
}

// signIn begins a session, with a token or by a user's password.
func (p Process) signIn(ctx context.Context, server, token, user string) (*session, error) {
	at, err := url.Parse(server)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || at.RawQuery != "" || at.Fragment != "" {
		return nil, usagef("--server %s: must be an address such as https://ocr.example.org", server)
	}
	s := &session{name: user, client: api.Client{Server: server, Token: token}}
	if token == "" && user == "" {
		s.client.Token = p.env()[tokenVariable]
	}
	switch {
	case s.client.Token != "" && user != "":
		return nil, usagef("give either --token or --user")
	case s.client.Token != "":
		return s, nil
	case user == "":
		return nil, usagef("--server needs --token, the variable %s or --user", tokenVariable)
	}
	if s.password, err = p.readPassword("Password: "); err != nil {
		return nil, err
	}
	return s, s.renew(ctx, "")
}

// renew signs in again if the token is still the expired one.
func (s *session) renew(ctx context.Context, expired string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client.Token != expired {
		return nil
	}
	grant, err := s.client.WithToken("").Login(ctx, s.name, s.password)
	if err != nil {
		return err
	}
	s.client = s.client.WithToken(grant.AccessToken)
	return nil
}

func (s *session) current() api.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client
}

// end signs out if the session began with a password.
func (s *session) end() error {
	if s.password == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTime)
	defer cancel()
	return s.current().Logout(ctx)
}

// checkLang rejects languages that the service does not have, before anything is uploaded.
func (s *session) checkLang(ctx context.Context, lang []string) error {
	var installed []string
	if err := s.do(ctx, func(c api.Client) (err error) { installed, err = c.Languages(ctx); return err }); err != nil {
		return err
	}
	for _, l := range lang {
		if l != recognition.AutoLang && !slices.Contains(installed, l) {
			return usagef("--lang %s: the service has %s", l, strings.Join(installed, ", "))
		}
	}
	return nil
}

// do makes a request. It repeats it with a new token if the token has expired, and later if the service is busy.
func (s *session) do(ctx context.Context, request func(api.Client) error) (err error) {
	for range tries {
		c := s.current()
		err = request(c)
		problem, ok := errors.AsType[*api.Problem](err)
		switch {
		case ok && problem.Status == http.StatusUnauthorized && s.password != "":
			if err := s.renew(ctx, c.Token); err != nil {
				return err
			}
		case ok && problem.RetryAfter > 0:
			select {
			case <-time.After(problem.RetryAfter):
			case <-ctx.Done():
				return err
			}
		default:
			return err
		}
	}
	return err
}
