package recognition

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// MaxPages is the maximum number of pages in one synchronous request.
const MaxPages = 50

// pagesAtOnce is how many pages are read at once where the request has one region, so that an engine has work for all its workers.
const pagesAtOnce = 8

// PageRun is the result of reading a page.
type PageRun struct {
	ImageID int64
	Number  int   // of the page in its document
	Version int   // of the run; 0 where there is none
	Err     error // why there is none, as with Recognize
}

// RecognizePages reads the same regions, or the whole page, on each of those pages of the document of an image, whichever page the
// image is. Each page gets a run, which is durable when it is returned here. A failure of one page, such as a region that is outside it
// or a page that cannot be rendered, does not affect the others. The timeout is that of all pages together; pages that are not read by
// then get an error. A claim of the request is that of a request in parts; pages that it records as made are not read again. NotFound;
// Invalid for the pages, of which there may be MaxPages, for Request.Into, and for everything that is wrong with the request on every
// page.
func (s *Service) RecognizePages(ctx context.Context, actor account.Actor, imageID int64, ranges PageRanges, request Request) (
	[]PageRun, error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return nil, err
	}
	if request.Into != 0 {
		return nil, fault.InvalidFields(fault.Field{Field: "into", Detail: "not together with pages"})
	}
	pages, err := s.pagesOf(ctx, image, Selection{Pages: ranges})
	if err != nil {
		return nil, err
	}
	if len(pages) > MaxPages {
		const most = "at most %d pages in one request, not %d; for more, ask for a job with Prefer: respond-async"
		detail := fmt.Sprintf(most, MaxPages, len(pages))
		return nil, fault.InvalidFields(fault.Field{Field: "pages", Detail: detail})
	}
	if _, _, err := s.plan(ctx, image, request.anywhere(image.Box())); err != nil {
		return nil, err
	}
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Timeout)
		defer cancel()
	}
	runs := make([]PageRun, len(pages))
	slots := make(chan struct{}, max(1, pagesAtOnce/max(1, len(request.Regions))))
	var work sync.WaitGroup
	for i, page := range pages {
		slots <- struct{}{}
		work.Go(func() {
			runs[i] = s.recognizePage(ctx, actor, page, request)
			<-slots
		})
	}
	work.Wait()
	return runs, nil
}

func (s *Service) recognizePage(ctx context.Context, actor account.Actor, page document.Image, request Request) PageRun {
	r := PageRun{ImageID: page.ID, Number: page.Number, Err: ctx.Err()}
	if r.Err != nil {
		return r
	}
	for _, e := range request.Once.Made {
		if e.Image == page.ID {
			r.Version = e.Version
			return r
		}
	}
	run, err := s.Recognize(ctx, actor, page.ID, request)
	if r.Err = err; err == nil {
		r.Version = run.Version
	}
	return r
}

// anywhere returns the request with that box for each region that has pixels: what is wrong with it then is wrong on every page.
func (r Request) anywhere(box document.Box) Request {
	r.Regions = slices.Clone(r.Regions)
	for i := range r.Regions {
		if !r.Regions[i].Empty() {
			r.Regions[i].Box = box
		}
	}
	return r
}
