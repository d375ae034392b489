package natsqueue

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

// secured starts a server that encrypts, and returns its address and the file of its certificate.
func secured(t *testing.T, change func(*server.Options)) (address, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check.OK(t, "GenerateKey", err)
	certificate := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{{127, 0, 0, 1}}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, key.Public(), key)
	check.OK(t, "CreateCertificate", err)
	o := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		TLS: true, TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}}
	change(o)
	s, err := server.NewServer(o)
	check.OK(t, "NewServer", err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(startTime) {
		t.Fatal("the server does not start")
	}
	return s.Addr().String(), written(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func written(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check.OK(t, "WriteFile", os.WriteFile(path, data, 0o600))
	return path
}

// works checks that a queue takes an item and gives it out.
func works(t *testing.T, o Options) {
	t.Helper()
	q := open(t, o)
	check.OK(t, "Put", q.Put(t.Context(), []string{"a-000001"}))
	id, done, err := q.Take(t.Context())
	check.OK(t, "Take", err)
	check.Same(t, "taken", id, "a-000001")
	check.OK(t, "done", done(t.Context()))
}

// refused checks that a queue cannot be used.
func refused(t *testing.T, what string, o Options) {
	t.Helper()
	check.Kind(t, what, open(t, o).Put(t.Context(), []string{"a-000001"}), fault.Unavailable)
}

func TestTLSAndAPassword(t *testing.T) {
	address, ca := secured(t, func(o *server.Options) { o.Username, o.Password = "glyphbox", "secret" })
	works(t, Options{URLs: fmt.Sprintf("tls://glyphbox:secret@%s", address), CA: ca})
	refused(t, "another password", Options{URLs: fmt.Sprintf("tls://glyphbox:other@%s", address), CA: ca})
	refused(t, "a certificate that nobody vouches for", Options{URLs: fmt.Sprintf("tls://glyphbox:secret@%s", address)})
	for _, o := range []Options{{CA: "none.pem"}, {CA: written(t, "empty.pem", nil)}, {Credentials: "none.creds"}} {
		o.URLs = "tls://" + address
		if q, err := Open(t.Context(), o); err == nil {
			t.Errorf("%+v was opened", o)
			check.OK(t, "Close", q.Close())
		}
	}
}

func TestCredentials(t *testing.T) {
	pair := func(make func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
		k, err := make()
		check.OK(t, "a key", err)
		public, err := k.PublicKey()
		check.OK(t, "PublicKey", err)
		return k, public
	}
	operator, operatorID := pair(nkeys.CreateOperator)
	account, accountID := pair(nkeys.CreateAccount)
	_, systemID := pair(nkeys.CreateAccount)
	user, userID := pair(nkeys.CreateUser)
	signed := func(claims jwt.Claims, by nkeys.KeyPair) string {
		text, err := claims.Encode(by)
		check.OK(t, "Encode", err)
		return text
	}
	claims := jwt.NewAccountClaims(accountID)
	claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
	resolver := &server.MemAccResolver{}
	check.OK(t, "Store", resolver.Store(accountID, signed(claims, operator)))
	check.OK(t, "Store", resolver.Store(systemID, signed(jwt.NewAccountClaims(systemID), operator)))
	address, ca := secured(t, func(o *server.Options) {
		o.TrustedOperators = []*jwt.OperatorClaims{jwt.NewOperatorClaims(operatorID)}
		o.AccountResolver, o.SystemAccount = resolver, systemID
	})
	seed, err := user.Seed()
	check.OK(t, "Seed", err)
	credentials, err := jwt.FormatUserConfig(signed(jwt.NewUserClaims(userID), account), seed)
	check.OK(t, "FormatUserConfig", err)
	works(t, Options{URLs: "tls://" + address, CA: ca, Credentials: written(t, "user.creds", credentials)})
	refused(t, "no credentials", Options{URLs: "tls://" + address, CA: ca})
}
