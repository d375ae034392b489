package httpapi

import (
	"context"
	"reflect"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/header"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/wire"
)

type none struct{}

type one[T any] struct{ Body T }

type many[T any] struct {
	Body []T `nullable:"false"`
}

// PageQuery picks a part of a list.
type PageQuery struct {
	Size int `query:"size" default:"10" minimum:"1" maximum:"100" doc:"Entries of a page."`
	Page int `query:"page" default:"0" minimum:"0" maximum:"100000000" doc:"Counted from 0."`
}

func (q PageQuery) page() account.Page { return account.Page{Size: q.Size, Number: q.Page} }

// IDPath names a user or an image.
type IDPath struct {
	ID int64 `path:"id" minimum:"1" example:"42"`
}

type list[T any] struct {
	Total int    `header:"X-Total-Count" doc:"Entries of the whole list."`
	Link  string `header:"Link" doc:"rel next and prev, if there is more."`
	Body  []T    `nullable:"false"`
}

// secret is an answer that nobody may keep. Nothing below the base path may be kept unless it says so, but this one says it.
type secret[T any] struct {
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         T
}

func (a *api) signUp(ctx context.Context, _ *call, _ *none, form client.SignUpForm) (*one[client.User], error) {
	u, err := a.Accounts.SignUp(ctx, account.SignUp(form))
	return &one[client.User]{viewUser(u)}, err
}

func (a *api) signUpOpen(context.Context, *call, *none) (*one[client.SignUp], error) {
	return &one[client.SignUp]{client.SignUp{Open: a.Accounts.SignUpOpen}}, nil
}

func (a *api) login(ctx context.Context, c *call, in *SessionHeader) (*secret[client.Grant], error) {
	if err := in.checkOrigin(c); err != nil {
		return nil, err
	}
	form, err := c.readForm()
	if err != nil {
		return nil, err
	}
	var missing []fault.Field
	for _, name := range []string{"username", "password"} {
		if !form.Has(name) {
			missing = append(missing, fault.Field{Field: name, Detail: "must be given"})
		}
	}
	if err := fault.InvalidFields(missing...); err != nil {
		return nil, err
	}
	grant, err := a.Accounts.Login(ctx, form.Get("username"), form.Get("password"),
		account.Client{Address: header.ClientAddress(c.r, a.TrustedProxies), UserAgent: c.r.UserAgent()})
	if err != nil {
		return nil, err
	}
	c.actor.UserID = grant.User.ID // for the log
	return in.grant(c, grant, a.Accounts.RefreshTTL), nil
}

func (a *api) refresh(ctx context.Context, c *call, in *SessionHeader, form client.RefreshForm) (*secret[client.Grant], error) {
	if err := in.checkOrigin(c); err != nil {
		return nil, err
	}
	if in.Session != "" && form.RefreshToken == "" {
		if cookie, err := c.r.Cookie(sessionCookie); err == nil {
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
	c.actor.UserID = grant.User.ID // for the log
	return in.grant(c, grant, a.Accounts.RefreshTTL), nil
}

func (a *api) logout(ctx context.Context, c *call, in *SessionHeader) (*none, error) {
	if in.Session != "" {
		c.setSession("", 0)
	}
	return nil, a.Accounts.Logout(ctx, c.actor)
}

func (a *api) me(ctx context.Context, c *call, _ *none) (*one[client.User], error) {
	u, err := a.Accounts.Me(ctx, c.actor)
	return &one[client.User]{viewUser(u)}, err
}

func (a *api) logins(ctx context.Context, c *call, in *PageQuery) (*list[client.Login], error) {
	logins, total, err := a.Accounts.Logins(ctx, c.actor, in.page())
	return &list[client.Login]{total, in.links(c, total), wire.All(logins, viewLogin)}, err
}

func (a *api) changeProfile(ctx context.Context, c *call, _ *none, form client.ProfileForm) (*one[client.User], error) {
	u, err := a.Accounts.ChangeProfile(ctx, c.actor, form.Name, form.Email)
	return &one[client.User]{viewUser(u)}, err
}

func (a *api) changePassword(ctx context.Context, c *call, _ *none, form client.PasswordForm) (*one[client.User], error) {
	u, err := a.Accounts.ChangePassword(ctx, c.actor, form.CurrentPassword, form.Password1, form.Password2)
	return &one[client.User]{viewUser(u)}, err
}

func (a *api) resign(ctx context.Context, c *call, in *struct {
	SessionHeader
	Images string `query:"images" enum:"delete,keep" default:"delete" doc:"Whether your images are deleted or kept."`
}) (*none, error) {
	if err := a.Accounts.Resign(ctx, c.actor, in.Images == "keep"); err != nil {
		return nil, err
	}
	if in.Session != "" {
		c.setSession("", 0)
	}
	return nil, nil
}

func (a *api) addKey(ctx context.Context, c *call, _ *none, form client.KeyForm) (*secret[client.NewKey], error) {
	var expires time.Time
	if form.Expires != nil {
		var err error
		if expires, err = time.Parse(time.RFC3339, *form.Expires); err != nil || expires.IsZero() { // never is null
			return nil, fault.InvalidFields(fault.Field{Field: "expires", Detail: "a time such as 2030-01-31T12:00:00Z"})
		}
	}
	k, text, err := a.Accounts.AddKey(ctx, c.actor, form.Name, expires)
	return &secret[client.NewKey]{"no-store", client.NewKey{Key: viewKey(k), Secret: text}}, err
}

func (a *api) keys(ctx context.Context, c *call, _ *none) (*many[client.Key], error) {
	keys, err := a.Accounts.KeysOf(ctx, c.actor)
	return &many[client.Key]{wire.All(keys, viewKey)}, err
}

func (a *api) deleteKey(ctx context.Context, c *call, in *struct {
	ID string `path:"id"`
}) (*none, error) {
	return nil, a.Accounts.DeleteKey(ctx, c.actor, in.ID)
}

func (a *api) users(ctx context.Context, c *call, in *struct {
	PageQuery
	Keyword Keyword `query:"keyword" maxLength:"200" doc:"A part of the name or e-mail address, in any letter case."`
}) (*list[client.User], error) {
	keyword, err := in.Keyword.text()
	if err != nil {
		return nil, err
	}
	users, total, err := a.Accounts.List(ctx, c.actor, keyword, in.page())
	return &list[client.User]{total, in.links(c, total), wire.All(users, viewUser)}, err
}

type roleForm struct {
	Role role `json:"role" example:"admin" doc:"admin or null."`
}

func (a *api) setRole(ctx context.Context, c *call, in *IDPath, form roleForm) (*one[client.User], error) {
	if !form.Role.given {
		return nil, fault.InvalidFields(fault.Field{Field: "role", Detail: typeName(reflect.TypeFor[role]())})
	}
	u, err := a.Accounts.SetRole(ctx, c.actor, in.ID, form.Role.name)
	return &one[client.User]{viewUser(u)}, err
}

// StatePath names a state of a user.
type StatePath struct {
	IDPath
	State string `path:"state" enum:"blocked,inactivate" example:"blocked"`
}

func (a *api) setState(ctx context.Context, c *call, in *StatePath, form client.StateForm) (*one[client.User], error) {
	u, err := a.Accounts.SetState(ctx, c.actor, in.ID, in.State, form.Detail)
	return &one[client.User]{viewUser(u)}, err
}

func (a *api) clearState(ctx context.Context, c *call, in *StatePath) (*none, error) {
	_, err := a.Accounts.ClearState(ctx, c.actor, in.ID, in.State)
	return nil, err
}
