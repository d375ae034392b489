package httpapi

import (
	"context"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/header"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/wire"
)

// IDPath names a user or an image.
type IDPath struct {
	ID int64 `path:"id" minimum:"1" example:"42"`
}

func (a *api) signUp(ctx context.Context, _ *endpoint.Call, _ *endpoint.None, form client.SignUpForm) (*endpoint.One[client.User], error) {
	u, err := a.Accounts.SignUp(ctx, account.SignUp(form))
	return endpoint.Answer(viewUser(u)), err
}

func (a *api) signUpOpen(context.Context, *endpoint.Call, *endpoint.None) (*endpoint.One[client.SignUp], error) {
	return endpoint.Answer(client.SignUp{Open: a.Accounts.SignUpOpen}), nil
}

func (a *api) login(ctx context.Context, c *endpoint.Call, in *SessionHeader) (*endpoint.Secret[client.Grant], error) {
	if err := in.checkOrigin(c); err != nil {
		return nil, err
	}
	form, err := c.ReadForm()
	if err != nil {
		return nil, err
	}
	if kind := form.Get("grant_type"); kind != "" && kind != "password" {
		return nil, fault.New(fault.Malformed, "unsupported_grant_type", "The only grant type is password.").On("grant_type", "password")
	}
	var wrong []fault.Field
	for _, name := range []string{"username", "password"} {
		if n := len(form[name]); n == 0 {
			wrong = append(wrong, fault.Field{Field: name, Detail: "must be given"})
		} else if n > 1 {
			wrong = append(wrong, fault.Field{Field: name, Detail: "only once"})
		}
	}
	if err := fault.InvalidFields(wrong...); err != nil {
		return nil, err
	}
	grant, err := a.Accounts.Login(ctx, form.Get("username"), form.Get("password"),
		account.Client{Address: header.ClientAddress(c.Request(), a.TrustedProxies), UserAgent: c.Request().UserAgent()})
	if err != nil {
		return nil, err
	}
	c.SignedIn(grant.User.ID)
	return in.grant(c, grant, a.Accounts.RefreshTTL), nil
}

func (a *api) refresh(ctx context.Context, c *endpoint.Call, in *SessionHeader, form client.RefreshForm) (
	*endpoint.Secret[client.Grant], error) {
	if err := in.checkOrigin(c); err != nil {
		return nil, err
	}
	if in.Session != "" && form.RefreshToken == "" {
		if cookie, err := c.Request().Cookie(sessionCookie); err == nil {
			form.RefreshToken = cookie.Value
		}
	}
	if in.Session == "" && form.RefreshToken == "" {
		return nil, fault.InvalidFields(fault.Field{Field: "refresh_token", Detail: "must be given"})
	}
	grant, err := a.Accounts.Refresh(ctx, form.RefreshToken)
	if err != nil {
		return nil, err
	}
	c.SignedIn(grant.User.ID)
	return in.grant(c, grant, a.Accounts.RefreshTTL), nil
}

func (a *api) logout(ctx context.Context, c *endpoint.Call, in *SessionHeader) (*endpoint.None, error) {
	if in.Session != "" {
		setSession(c, "", 0)
	}
	return nil, a.Accounts.Logout(ctx, c.Actor())
}

func (a *api) me(ctx context.Context, c *endpoint.Call, _ *endpoint.None) (*endpoint.One[client.User], error) {
	u, err := a.Accounts.Me(ctx, c.Actor())
	return endpoint.Answer(viewUser(u)), err
}

func (a *api) logins(ctx context.Context, c *endpoint.Call, in *endpoint.PageQuery) (*endpoint.List[client.Login], error) {
	logins, total, err := a.Accounts.Logins(ctx, c.Actor(), account.Page{Size: in.Size, Number: in.Page})
	return endpoint.AnswerList(c, *in, total, wire.All(logins, viewLogin)), err
}

func (a *api) changeProfile(ctx context.Context, c *endpoint.Call, _ *endpoint.None, form client.ProfileForm) (
	*endpoint.One[client.User], error) {
	u, err := a.Accounts.ChangeProfile(ctx, c.Actor(), form.Name, form.Email)
	return endpoint.Answer(viewUser(u)), err
}

func (a *api) changePassword(ctx context.Context, c *endpoint.Call, _ *endpoint.None, form client.PasswordForm) (
	*endpoint.One[client.User], error) {
	u, err := a.Accounts.ChangePassword(ctx, c.Actor(), form.CurrentPassword, form.Password1, form.Password2)
	return endpoint.Answer(viewUser(u)), err
}

func (a *api) resign(ctx context.Context, c *endpoint.Call, in *struct {
	SessionHeader
	Images string `query:"images" enum:"delete,keep" default:"delete" doc:"Whether to delete or keep your images."`
}) (*endpoint.None, error) {
	if err := a.Accounts.Resign(ctx, c.Actor(), in.Images == "keep"); err != nil {
		return nil, err
	}
	if in.Session != "" {
		setSession(c, "", 0)
	}
	return nil, nil
}

func (a *api) addKey(ctx context.Context, c *endpoint.Call, _ *endpoint.None, form client.KeyForm) (
	*endpoint.Secret[client.NewKey], error) {
	var expires time.Time
	if form.Expires != nil {
		var err error
		if expires, err = time.Parse(time.RFC3339, *form.Expires); err != nil || expires.IsZero() { // never is null
			return nil, fault.InvalidFields(fault.Field{Field: "expires", Detail: "a time such as 2030-01-31T12:00:00Z"})
		}
	}
	k, text, err := a.Accounts.AddKey(ctx, c.Actor(), form.Name, expires)
	return endpoint.AnswerSecret(client.NewKey{Key: viewKey(k), Secret: text}), err
}

func (a *api) keys(ctx context.Context, c *endpoint.Call, _ *endpoint.None) (*endpoint.One[[]client.Key], error) {
	keys, err := a.Accounts.KeysOf(ctx, c.Actor())
	return endpoint.Answer(wire.All(keys, viewKey)), err
}

func (a *api) deleteKey(ctx context.Context, c *endpoint.Call, in *struct {
	ID string `path:"id"`
}) (*endpoint.None, error) {
	return nil, a.Accounts.DeleteKey(ctx, c.Actor(), in.ID)
}

func (a *api) users(ctx context.Context, c *endpoint.Call, in *struct {
	endpoint.PageQuery
	Keyword endpoint.Keyword `query:"keyword" maxLength:"200" doc:"A part of the name or e-mail address, in any letter case."`
}) (*endpoint.List[client.User], error) {
	keyword, err := in.Keyword.Text()
	if err != nil {
		return nil, err
	}
	users, total, err := a.Accounts.List(ctx, c.Actor(), keyword, account.Page{Size: in.Size, Number: in.Page})
	return endpoint.AnswerList(c, in.PageQuery, total, wire.All(users, viewUser)), err
}

type roleForm struct {
	Role role `json:"role" example:"admin" doc:"admin or null."`
}

func (a *api) setRole(ctx context.Context, c *endpoint.Call, in *IDPath, form roleForm) (*endpoint.One[client.User], error) {
	if !form.Role.given {
		return nil, fault.InvalidFields(fault.Field{Field: "role", Detail: roles})
	}
	u, err := a.Accounts.SetRole(ctx, c.Actor(), in.ID, form.Role.name)
	return endpoint.Answer(viewUser(u)), err
}

// StatePath names a state of a user.
type StatePath struct {
	IDPath
	State string `path:"state" enum:"blocked,inactivate" example:"blocked"`
}

func (a *api) setState(ctx context.Context, c *endpoint.Call, in *StatePath, form client.StateForm) (*endpoint.One[client.User], error) {
	u, err := a.Accounts.SetState(ctx, c.Actor(), in.ID, in.State, form.Detail)
	return endpoint.Answer(viewUser(u)), err
}

func (a *api) clearState(ctx context.Context, c *endpoint.Call, in *StatePath) (*endpoint.None, error) {
	_, err := a.Accounts.ClearState(ctx, c.Actor(), in.ID, in.State)
	return nil, err
}
