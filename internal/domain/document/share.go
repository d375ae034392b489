package document

import (
	"cmp"
	"context"
	"fmt"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// MaxReaders is the maximum number of users with whom a document may be shared by name.
const MaxReaders = 100

// knownTo keeps only the readers that the actor may know: all for the owner and administrators, only themselves for others.
func (i Image) knownTo(actor account.Actor) Image {
	if !actor.MayActFor(i.Owner.ID) {
		readers := i.Readers
		i.Readers = nil
		for _, r := range readers {
			if r.ID == actor.UserID {
				i.Readers = []account.Ref{r}
			}
		}
	}
	return i
}

// Share shares a document with the users of those names, and with nobody else by name. Its visibility does not change. Permissions are
// those of Change. Conflict with the code "page_of_document" if the image is that of a later page; Invalid, naming "users[2]" and so
// on, for an unknown name, that of the owner, and a duplicate. Users who may not sign in are accepted.
func (s *Service) Share(ctx context.Context, actor account.Actor, id int64, names []string) (Image, error) {
	i, err := s.Catalog.ByID(ctx, id)
	if err != nil {
		return Image{}, err
	}
	if err := mayShare(actor, i); err != nil { // before anything is told of names
		return Image{}, err
	}
	owner := i.Owner.ID
	readers, err := s.readers(ctx, owner, names)
	if err != nil {
		return Image{}, err
	}
	i, err = s.Catalog.Update(ctx, id, func(i *Image) error {
		if err := mayShare(actor, *i); err != nil {
			return err
		}
		i.Readers = readers
		return nil
	})
	if fault.Of(err) != nil && fault.Of(err).Code == account.ErrUserNotFound.Code { // one of them has resigned meanwhile
		_, invalid := s.readers(ctx, owner, names)
		return Image{}, cmp.Or(invalid, err)
	}
	return i, err
}

func mayShare(actor account.Actor, i Image) error { return cmp.Or(mayChange(actor, i), i.checkFirst()) }

// readers finds users by their names.
func (s *Service) readers(ctx context.Context, owner int64, names []string) (readers []account.Ref, err error) {
	if len(names) > MaxReaders {
		return nil, fault.InvalidFields(fault.Field{Field: "users", Detail: fmt.Sprintf("at most %d names", MaxReaders)})
	}
	var wrong []fault.Field
	at := map[int64]int{} // the names of users
	for n, name := range names {
		field := fmt.Sprintf("users[%d]", n)
		u, err := s.Users.ByName(ctx, name)
		switch first, twice := at[u.ID]; {
		case fault.Is(err, fault.NotFound):
			wrong = append(wrong, fault.Field{Field: field, Detail: "the name of a user"})
		case err != nil:
			return nil, err
		case u.ID == owner:
			wrong = append(wrong, fault.Field{Field: field, Detail: "somebody else than the owner of the document"})
		case twice:
			wrong = append(wrong, fault.Field{Field: field, Detail: fmt.Sprintf("each user once; this is users[%d], too", first)})
		default:
			at[u.ID] = n
			readers = append(readers, account.Ref{ID: u.ID, Name: u.Name})
		}
	}
	return readers, fault.InvalidFields(wrong...)
}
