package hookclient

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/net/dns/dnsmessage"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest/check"
)

// allowed stands for a public address.
const allowed = "127.0.0.2"

// client makes a client that may send to allowed, besides public addresses.
func client(t *testing.T, o Options) *Client {
	t.Helper()
	o.Networks = append(o.Networks, netip.MustParsePrefix(allowed+"/32"))
	c := New(o)
	t.Cleanup(func() { check.OK(t, "Close", c.Close()) })
	return c
}

// serve listens on an address, at a port that is free or given.
func serve(t *testing.T, address string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	check.OK(t, "Listen", err)
	s := &httptest.Server{Listener: listener, Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

var message = webhook.Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp: time.Unix(1614265330, 0), Body: `{"test": 2432232314}`,
	Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}

func to(url string) webhook.Message {
	m := message
	m.URL = url
	return m
}

// TestWhatIsSent compares a request with the example of the convention, and has receivers of the former and of the newest secret check it.
func TestWhatIsSent(t *testing.T) {
	const second = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	checked := 0
	s := serve(t, allowed+":0", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		check.OK(t, "ReadAll", err)
		check.Same(t, "method", r.Method, http.MethodPost)
		check.Same(t, "body", string(body), message.Body)
		check.Same(t, "webhook-id", r.Header.Get("webhook-id"), message.ID)
		check.Same(t, "webhook-timestamp", r.Header.Get("webhook-timestamp"), "1614265330")
		check.Same(t, "Content-Type", r.Header.Get("Content-Type"), "application/json")
		check.Same(t, "User-Agent", r.Header.Get("User-Agent"), "a test")
		first, _, _ := strings.Cut(r.Header.Get("webhook-signature"), " ")
		check.Same(t, "first signature", first, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
		for _, secret := range []string{message.Secrets[0], second} {
			receiver, err := standardwebhooks.NewWebhook(secret)
			check.OK(t, "NewWebhook", err)
			check.OK(t, "Verify", receiver.VerifyIgnoringTimestamp(body, r.Header))
			checked++
		}
		w.WriteHeader(http.StatusNoContent)
	})
	m := to(s.URL)
	m.Secrets = append(m.Secrets, second)
	check.Same(t, "answer", client(t, Options{Agent: "a test"}).Send(t.Context(), m), webhook.Answer{Status: http.StatusNoContent})
	check.Same(t, "receivers", checked, 2)
}

func TestAnswers(t *testing.T) {
	reached := false
	inner := serve(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) { reached = true })
	gone := make(chan struct{})
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		want  webhook.Answer
	}{
		"fails": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
			webhook.Answer{Status: 500, Error: "It answered with the status 500."}},
		"asks for patience": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "90"); w.WriteHeader(503) },
			webhook.Answer{Status: 503, Error: "It answered with the status 503.", RetryAfter: 90 * time.Second}},
		"asks for patience until a date": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")
			w.WriteHeader(503)
		}, webhook.Answer{Status: 503, Error: "It answered with the status 503.", RetryAfter: webhook.KeepTime}},
		"asks for patience until a date of the past": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")
			w.WriteHeader(503)
		}, webhook.Answer{Status: 503, Error: "It answered with the status 503."}},
		"redirects to loopback": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inner.URL, http.StatusTemporaryRedirect)
		},
			webhook.Answer{Status: 307, Error: "It answered with a redirect, which is not followed."}},
		"breaks off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			webhook.Answer{Error: "The connection broke."}},
		"answers with a header of a megabyte": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}, webhook.Answer{Error: "The connection broke."}},
		"never ends to answer": {func(w http.ResponseWriter, r *http.Request) {
			defer close(gone)
			for part := make([]byte, 1<<20); r.Context().Err() == nil; {
				_, _ = w.Write(part) // until the caller has gone
			}
		}, webhook.Answer{Status: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			check.Same(t, "answer", client(t, Options{}).Send(t.Context(), to(serve(t, allowed+":0", c.serve).URL)), c.want)
		})
	}
	<-gone
	if reached {
		t.Error("a redirect was followed")
	}
	check.Same(t, "answer", client(t, Options{}).Send(t.Context(), to("http://"+allowed+":1")),
		webhook.Answer{Error: "It refused the connection."})
	encrypted := httptest.NewUnstartedServer(nil)
	encrypted.Listener.Close()
	listener, err := net.Listen("tcp", allowed+":0")
	check.OK(t, "Listen", err)
	encrypted.Listener = listener
	encrypted.StartTLS()
	t.Cleanup(encrypted.Close)
	check.Same(t, "answer", client(t, Options{}).Send(t.Context(), to(encrypted.URL)),
		webhook.Answer{Error: "Its certificate is not valid."})
}

// TestAServerThatHangs takes the connection and says nothing.
func TestAServerThatHangs(t *testing.T) {
	listener, err := net.Listen("tcp", allowed+":0")
	check.OK(t, "Listen", err)
	t.Cleanup(func() { check.OK(t, "Close", listener.Close()) })
	answer := client(t, Options{Timeout: 50 * time.Millisecond}).Send(t.Context(), to("http://"+listener.Addr().String()))
	check.Same(t, "answer", answer, webhook.Answer{Error: "It did not answer within 50ms."})
}

const noAddress = "Its host has no allowed address."

func TestAddressesThatAreNotAllowed(t *testing.T) {
	c := client(t, Options{})
	for _, host := range []string{"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "[::]", "[::1]", "[fe80::1]", "[fc00::1]", "[fd12::1]", "[ff02::1]", "[::ffff:127.0.0.1]",
		"[::ffff:10.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]",
		"[2001::1]", "[2001:db8::1]", "[fec0::1]"} {
		check.Kind(t, host, c.Check("http://"+host+":1/"), fault.Invalid)
		check.Same(t, host, c.Send(t.Context(), to("http://"+host+":1/")), webhook.Answer{Error: noAddress})
	}
	var address atomic.Pointer[[4]byte] // other ways to write an address are names, whatever they are resolved to
	address.Store(&[4]byte{127, 0, 0, 1})
	c = client(t, Options{Resolver: resolver(t, &address)})
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "localhost."} {
		check.Same(t, host, c.Send(t.Context(), to("http://"+host+":1/")), webhook.Answer{Error: noAddress})
	}
	for _, url := range []string{"", "x", "ftp://example.org", "file:///etc/passwd", "https://", "https://:443/",
		"https://u:p@example.org/",
		"https://example.org/#x", "https://example.org:0/", "https://example.org:99999/", "//example.org",
		"https://example.org/" + strings.Repeat("x", webhook.MaxURL), "https://exa mple.org/"} {
		check.Kind(t, url, c.Check(url), fault.Invalid)
	}
	for _, url := range []string{"https://example.org", "HTTPS://example.org:8443/a?b=c", "http://93.184.216.34/",
		"https://[2606:4700::1]/",
		"http://" + allowed + ":1/", "https://예제.한국/"} {
		check.OK(t, url, c.Check(url))
	}
}

// TestANameThatChanges resolves a name to an allowed address, and then to one that is not.
func TestANameThatChanges(t *testing.T) {
	s := serve(t, allowed+":0", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	check.OK(t, "SplitHostPort", err)
	reached := false
	serve(t, "127.0.0.1:"+port, func(http.ResponseWriter, *http.Request) { reached = true })
	var address atomic.Pointer[[4]byte]
	c := client(t, Options{Resolver: resolver(t, &address)})
	url := fmt.Sprintf("http://hook.example:%s/", port)

	address.Store(&[4]byte{127, 0, 0, 2})
	check.Same(t, "answer", c.Send(t.Context(), to(url)), webhook.Answer{Status: 200})
	address.Store(&[4]byte{127, 0, 0, 1})
	check.Same(t, "answer", c.Send(t.Context(), to(url)), webhook.Answer{Error: noAddress})
	if reached {
		t.Error("the address that the name changed to was reached")
	}
}

// resolver asks a server of names that gives each the same address.
func resolver(t *testing.T, address *atomic.Pointer[[4]byte]) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	check.OK(t, "ListenPacket", err)
	t.Cleanup(func() { check.OK(t, "Close", server.Close()) })
	go func() {
		for packet := make([]byte, 512); ; {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return // closed
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			q := m.Questions[0]
			answer := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
			if q.Type == dnsmessage.TypeA {
				answer.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
					Body: &dnsmessage.AResource{A: *address.Load()}}}
			}
			if packed, err := answer.Pack(); err == nil {
				_, _ = server.WriteTo(packed, from) // the caller may have gone
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}
