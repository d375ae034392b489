package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"

	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/once"
)

// OnceHeader is for operations that take effect once for each key.
type OnceHeader struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" example:"0b1e7d0c-6b0e-4c59-9d29-2f6c9a9f4f6e" doc:"A key of your choice, without control characters. Within a day, repetitions of a request with the same key have no effect and get the answer of the first, built from its current results. A different request with the key is refused with 409 and the code idempotency_key_used."`
}

// inParts is a request that makes several things, each in a transaction of its own.
const inParts = true

// doOnce answers a request which, where it has a key, takes effect once. asked is its parsed body. do makes what it asks for, and where
// that is in parts returns what else there is to note. again answers from what was made before.
func doOnce[O any](ctx context.Context, a *api, c *endpoint.Call, asked any, parts bool,
	do func(ctx context.Context, claim once.Claim) (*O, []once.Effect, error),
	again func(ctx context.Context, made []once.Effect) (*O, error)) (*O, error) {
	names := c.Request().Header.Values(once.Field)
	if len(names) == 0 {
		out, _, err := do(ctx, once.Claim{})
		return out, err
	}
	if len(names) > 1 {
		return nil, fault.InvalidFields(fault.Field{Field: once.Field, Detail: "only once"})
	}
	digest, err := digest(c.Request(), asked)
	if err != nil {
		return nil, err
	}
	var out *O
	request := once.Request{User: c.Actor().UserID, Name: names[0], Digest: digest, Parts: parts}
	done, made, err := a.Once.Do(ctx, request, func(ctx context.Context, claim once.Claim) (rest []once.Effect, err error) {
		out, rest, err = do(ctx, claim)
		return rest, err
	})
	if err != nil || done {
		return out, err
	}
	slices.SortStableFunc(made, func(a, b once.Effect) int { return cmp.Compare(a.Page, b.Page) })
	out, err = again(ctx, made)
	if fault.Is(err, fault.NotFound) {
		err = once.ErrGone.Because(err)
	}
	return out, err
}

// digest returns the digest by which requests with the same key are compared.
func digest(r *http.Request, asked any) (string, error) {
	text, err := json.Marshal([]any{r.Method, r.URL.Path, r.URL.Query(), asked})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}
