package httpapi

import (
	"net/http"
	"strings"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// sessionCookie holds the refresh token of a web page, out of reach of its scripts. It goes to the operations on users only,
// and only from pages of this origin.
const sessionCookie = "glyphbox_session"

// SessionHeader is the header by which a page asks to keep its refresh token in a cookie.
type SessionHeader struct {
	Session string `header:"X-Glyphbox-Session" enum:"cookie" doc:"For web pages of this origin: keeps the refresh token in a cookie that scripts cannot read."`
}

// grant returns what the client gets of a grant: all of it or, if it is a page that wants a cookie, all but the refresh token.
func (in SessionHeader) grant(c *endpoint.Call, g account.Grant, ttl time.Duration) *endpoint.Secret[client.Grant] {
	view := viewGrant(g)
	if in.Session != "" {
		setSession(c, g.RefreshToken, ttl)
		view.RefreshToken = ""
	}
	return endpoint.AnswerSecret(view)
}

// checkOrigin refuses pages of other origins that want the cookie.
func (in SessionHeader) checkOrigin(c *endpoint.Call) error {
	if in.Session == "" {
		return nil
	}
	if err := http.NewCrossOriginProtection().Check(c.Request()); err != nil {
		return fault.New(fault.Forbidden, "other_origin", "Only pages of this origin may keep their session in a cookie.").Because(err)
	}
	return nil
}

// setSession sets the cookie for that long, or deletes it where that is 0.
func setSession(c *endpoint.Call, token string, ttl time.Duration) {
	seconds := int(ttl / time.Second)
	if seconds == 0 {
		seconds = -1
	}
	// A client that lies about the scheme harms only itself: the cookie is then not sent.
	r := c.Request()
	secure := r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" ||
		strings.Contains(strings.NewReplacer(`"`, "", " ", "").Replace(strings.ToLower(r.Header.Get("Forwarded"))), "proto=https")
	http.SetCookie(c.Writer(), &http.Cookie{Name: sessionCookie, Value: token, Path: c.Outside(base + "/user"), MaxAge: seconds,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode})
}
