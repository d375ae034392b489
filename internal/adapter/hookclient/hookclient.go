// Package hookclient implements webhook.Sender with HTTP requests that are signed as in Standard Webhooks.
//
// A user who chooses an address must not reach through it what only this machine can reach. So the address that a name resolves to is
// checked when it is connected: public addresses and configured networks are allowed. The client uses no proxy from the environment,
// follows no redirect, and reads the answer only to its end, within limits.
package hookclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/webhook"
)

const (
	maxHeader = 16 << 10 // bytes of an answer
	maxAnswer = 64 << 10 // bytes of its body; the rest is not read
)

// Options configure a client. The zero value is usable.
type Options struct {
	Networks []netip.Prefix // besides public addresses
	Timeout  time.Duration  // of a request and its answer; 0: 10 s
	Resolver *net.Resolver  // nil: that of the system
	Agent    string         // of the header User-Agent
}

// Client implements webhook.Sender. Safe for concurrent use.
type Client struct {
	guard *ssrf.Guardian
	http  *http.Client
	agent string
}

var _ webhook.Sender = (*Client)(nil)

// New returns a client.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	var v4, v6 []netip.Prefix
	for _, p := range o.Networks {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	c := &Client{agent: o.Agent,
		guard: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))}
	dialer := &net.Dialer{Timeout: o.Timeout / 2, Resolver: o.Resolver, Control: func(network, address string, _ syscall.RawConn) error {
		if err := c.guard.Safe(network, address, nil); err != nil {
			return errNotAllowed
		}
		return nil
	}}
	c.http = &http.Client{Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxHeader,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: o.Timeout / 2, MaxIdleConnsPerHost: 4,
			MaxIdleConns: 32, IdleConnTimeout: 30 * time.Second}}
	return c
}

var errNotAllowed = errors.New("the address is not allowed")

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Check implements webhook.Sender.
func (c *Client) Check(address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > webhook.MaxURL || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil ||
		strings.Contains(address, "#") {
		return fault.InvalidFields(fault.Field{Field: "url", Detail: fmt.Sprintf(
			"an address https://host/path of at most %d characters, without user and fragment", webhook.MaxURL)})
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fault.InvalidFields(fault.Field{Field: "url", Detail: "a port of 1 to 65535"})
		}
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && c.guard.SafeAddr(ip) != nil {
		return fault.InvalidFields(fault.Field{Field: "url", Detail: "a public address, or one of a network that the service allows"})
	}
	return nil
}

// Send implements webhook.Sender.
func (c *Client) Send(ctx context.Context, m webhook.Message) webhook.Answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, strings.NewReader(m.Body))
	if err != nil {
		return webhook.Answer{Error: "Its address is invalid."}
	}
	var signatures []string
	for _, secret := range m.Secrets {
		key, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return webhook.Answer{Error: "Its secret is invalid."}
		}
		signature, err := key.Sign(m.ID, m.Timestamp, []byte(m.Body))
		if err != nil {
			return webhook.Answer{Error: "The request could not be signed."}
		}
		signatures = append(signatures, signature)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", c.agent)
	request.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(m.Timestamp.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	response, err := c.http.Do(request)
	if err != nil {
		return webhook.Answer{Error: c.reason(err)}
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // the status has said all
	answer := webhook.Answer{Status: response.StatusCode}
	switch status := response.StatusCode; {
	case status >= 300 && status < 400:
		answer.Error = "It answered with a redirect, which is not followed."
	case status < 200 || status >= 400:
		answer.Error = fmt.Sprintf("It answered with the status %d.", status)
	}
	answer.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
	return answer
}

// retryAfter is how long to wait by a header Retry-After, which has seconds or a date; 0 where it has neither.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), int(webhook.KeepTime/time.Second))) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(time.Until(date), 0), webhook.KeepTime)
}

// reason tells the user of the hook why there was no answer. It does not reveal whether a name stands for an address that is not public.
func (c *Client) reason(err error) string {
	timeout, isNet := errors.AsType[net.Error](err)
	_, noHost := errors.AsType[*net.DNSError](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case errors.Is(err, errNotAllowed), noHost:
		return "Its host has no allowed address."
	case isNet && timeout.Timeout():
		return fmt.Sprintf("It did not answer within %s.", c.http.Timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "It refused the connection."
	case certificate, unknown:
		return "Its certificate is not valid."
	}
	return "The connection broke."
}
