package httpapi

import (
	"time"

	"glyphbox/client"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/wire"
)

func viewUser(u account.User) client.User {
	v := client.User{ID: u.ID, Name: wire.OrNull(u.Name), Email: wire.OrNull(u.Email), Role: wire.OrNull(u.Role), States: []client.State{},
		CreatedDatetime: wire.Time(u.Created)}
	for _, s := range u.States {
		v.States = append(v.States, client.State{Name: s.Name, Detail: s.Detail, CreatedDatetime: wire.Time(s.Created)})
	}
	return v
}

func viewLogin(l account.Login) client.Login {
	return client.Login{ID: l.ID, Address: l.Address, UserAgent: l.UserAgent, CreatedDatetime: wire.Time(l.Created)}
}

func viewGrant(g account.Grant) client.Grant {
	return client.Grant{Username: g.User.Name, TokenType: "bearer", AccessToken: g.AccessToken,
		ExpiresIn: int64(g.ExpiresIn / time.Second), RefreshToken: g.RefreshToken}
}

func viewKey(k account.Key) client.Key {
	return client.Key{ID: k.ID, Name: k.Name, CreatedDatetime: wire.Time(k.Created), Expires: wire.TimeOrNull(k.Expires),
		LastUsed: wire.TimeOrNull(k.LastUsed)}
}

func viewImage(i document.Image) client.Image {
	v := client.Image{ID: i.ID, Document: i.Document, Page: i.Number, Pages: i.Pages, Name: i.Name, MediaType: i.MediaType, Width: i.Width,
		Height: i.Height, Frames: i.Frames, DPI: i.DPI, Rotation: i.Rotation, Size: i.Size, SHA256: i.SHA256,
		Visibility: string(i.Visibility), SharedWith: wire.Names(i.Readers), Tags: append([]string{}, i.Tags...), User: wire.Ref(i.Owner),
		CreatedDatetime: wire.Time(i.Created)}
	if i.Error != nil {
		v.Error = &client.Failure{Code: i.Error.Code, Detail: i.Error.Detail}
	}
	return v
}
