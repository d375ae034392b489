package app

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pdfcpu "github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// Every method of the client does what it says, on a real service.
func TestClient(t *testing.T) {
	ctx := t.Context()
	s := start(t, t.TempDir(), "--ocr-workers", "2")
	png, lines, boxes := drawn()
	must := func(what string, err error) { t.Helper(); check.OK(t, what, err) }
	visitor := s.client()
	ann, admin := s.signUp("ann").client(), s.login("admin", adminPassword).client()
	if open, err := visitor.SignUpOpen(ctx); err != nil || !open {
		t.Errorf("SignUpOpen: %v, %v", open, err)
	}
	_, err := visitor.SignUp(ctx, api.SignUpForm{Name: "Ann", Email: "other@example.org", Password1: password, Password2: password})
	if problem, ok := errors.AsType[*api.Problem](err); !ok || problem.Status != 409 || len(problem.Errors) != 1 ||
		problem.Errors[0].Field != "name" {
		t.Errorf("SignUp with a name that is taken: %v", err)
	}
	response, err := visitor.Do(ctx, "GET", "/ping", nil, nil)
	must("Do", err)
	must("Do", response.Body.Close())

	// The account.
	me, err := ann.Me(ctx)
	must("Me", err)
	changed, err := ann.ChangeProfile(ctx, api.ProfileForm{Name: "anna", Email: "anna@example.org"})
	if err != nil || changed.ID != me.ID || *changed.Name != "anna" {
		t.Errorf("ChangeProfile: %+v, %v", changed, err)
	}
	_, err = ann.ChangePassword(ctx, api.PasswordForm{CurrentPassword: password, Password1: password + "2", Password2: password + "2"})
	must("ChangePassword", err)
	grant, err := visitor.Login(ctx, "anna", password+"2")
	must("Login", err)
	logins, err := ann.Logins(ctx, api.Page{Size: 1})
	if err != nil || len(logins.Items) != 1 || logins.Total != 2 {
		t.Errorf("Logins: %+v, %v", logins, err)
	}
	renewed, err := visitor.Refresh(ctx, grant.RefreshToken)
	must("Refresh", err)
	must("Logout", visitor.WithToken(renewed.AccessToken).Logout(ctx))
	if _, err := visitor.WithToken(renewed.AccessToken).Me(ctx); err == nil {
		t.Error("signed out, and yet signed in")
	}
	expires := time.Now().Add(time.Hour).Format(time.RFC3339)
	key, err := ann.AddKey(ctx, api.KeyForm{Name: "scanner", Expires: &expires})
	must("AddKey", err)
	if who, err := visitor.WithToken(key.Secret).Me(ctx); err != nil || who.ID != me.ID {
		t.Errorf("the key is of %+v, %v", who, err)
	}
	if keys, err := ann.Keys(ctx); err != nil || len(keys) != 1 || keys[0].ID != key.ID {
		t.Errorf("Keys: %+v, %v", keys, err)
	}
	must("RevokeKey", ann.RevokeKey(ctx, key.ID))

	// An image and what is read of it.
	image, err := ann.Upload(ctx, "영수증 \"1\".png", bytes.NewReader(png))
	if err != nil || image.Name != "영수증 \"1\".png" {
		t.Fatalf("Upload: %+v, %v", image, err)
	}
	if got, err := ann.Limits(ctx); err != nil || got.Images.Used != 1 || got.Bytes.Used != int64(len(png)) {
		t.Errorf("Limits: %+v, %v", got, err)
	}
	images, err := ann.Images(ctx, api.ImageQuery{Keyword: "수증", Before: image.ID + 1, Page: api.Page{Size: 5}})
	listed := image
	listed.Read, listed.Regions, listed.Confirmed, listed.Doubtful = new(int), new(int), new(int), new(int)
	if d := cmp.Diff([]api.Image{listed}, images.Items); err != nil || d != "" {
		t.Errorf("Images: %v (-want +got):\n%s", err, d)
	}
	name, shared := "a.png", "shared"
	turned, err := ann.ChangeImage(ctx, image.ID, api.ImageForm{Name: &name, Visibility: &shared})
	if err != nil || turned.Name != name || turned.Visibility != shared {
		t.Errorf("ChangeImage: %+v, %v", turned, err)
	}
	for _, degrees := range []int{90, 0} {
		got, err := ann.ChangeImage(ctx, image.ID, api.ImageForm{Rotation: &degrees})
		if err != nil || got.Rotation != degrees || (got.Width == image.Width) != (degrees == 0) {
			t.Errorf("ChangeImage to %d: %+v, %v", degrees, got, err)
		}
	}
	if got, err := ann.Image(ctx, image.ID); err != nil || !cmp.Equal(got, turned) {
		t.Errorf("Image: %+v, %v", got, err)
	}
	got, err := ann.ChangeImage(ctx, image.ID, api.ImageForm{Tags: &[]string{"Tax"}})
	if err != nil || !slices.Equal(got.Tags, []string{"Tax"}) {
		t.Errorf("ChangeImage to tags: %+v, %v", got, err)
	}
	tags, err := ann.Tags(ctx, api.TagQuery{Keyword: "ax", Owner: "me"})
	if err != nil || !slices.Equal(tags.Items, []api.Tag{{Name: "Tax", Documents: 1}}) {
		t.Errorf("Tags: %+v, %v", tags, err)
	}
	if got, err := ann.Images(ctx, api.ImageQuery{Tags: []string{"tax"}}); err != nil || len(got.Items) != 1 {
		t.Errorf("Images by tag: %+v, %v", got, err)
	}
	share, err := ann.SetShare(ctx, image.ID, api.Share{Users: []string{"admin"}})
	if err != nil || !slices.Equal(share.Users, []string{"admin"}) {
		t.Errorf("SetShare: %+v, %v", share, err)
	}
	if share, err := ann.Share(ctx, image.ID); err != nil || !slices.Equal(share.Users, []string{"admin"}) {
		t.Errorf("Share: %+v, %v", share, err)
	}
	if _, err := ann.ChangeImage(ctx, image.ID, api.ImageForm{Tags: &[]string{}}); err != nil {
		t.Errorf("ChangeImage to no tags: %v", err)
	}
	if original, err := ann.Original(ctx, image.ID); err != nil || !bytes.Equal(original, png) {
		t.Errorf("Original: %d bytes, %v", len(original), err)
	}
	for what, get := range map[string]func() ([]byte, error){
		"Thumbnail": func() ([]byte, error) { return ann.Thumbnail(ctx, image.ID) },
		"View":      func() ([]byte, error) { return ann.View(ctx, image.ID, 100) },
		"Crop":      func() ([]byte, error) { return ann.Crop(ctx, image.ID, api.Box(boxes[0])) },
	} {
		if got, err := get(); err != nil || !bytes.HasPrefix(got, []byte("\x89PNG")) && !bytes.HasPrefix(got, []byte("\xff\xd8")) {
			t.Errorf("%s: %.20q, %v", what, got, err)
		}
	}
	if layout, err := ann.Layout(ctx, image.ID, "line"); err != nil || len(layout) != len(lines) {
		t.Errorf("Layout: %+v, %v", layout, err)
	}
	settings := api.Settings{Lang: []string{"eng"}, Effort: "fast"}
	if _, err := ann.SetSettings(ctx, settings); err != nil {
		t.Errorf("SetSettings: %v", err)
	}
	if got, err := ann.Settings(ctx); err != nil || !cmp.Equal(got, settings) {
		t.Errorf("Settings: %+v, %v", got, err)
	}
	if languages, err := ann.Languages(ctx); err != nil || !slices.Contains(languages, "eng") {
		t.Errorf("Languages: %v, %v", languages, err)
	}
	oem := 1
	read, err := ann.Recognize(ctx, image.ID, api.Request{Lang: []string{"eng"}, PSM: 6, OEM: &oem, Rotate: "0", Effort: "balanced",
		Regions: []api.Region{
			{Box: api.Box(boxes[0]), Name: "number", PSM: 7, Effort: "fast"},
			{Box: api.Box(boxes[1]), Lang: []string{"eng"}, Rotate: "auto", Charset: "Two boxesfpar"}}})
	if err != nil || read.Version != 1 || len(read.Contents) != 2 || read.Contents[0].Text != lines[0] || *read.Contents[0].PSM != 7 ||
		read.Contents[0].Name != "number" {
		t.Fatalf("Recognize: %+v, %v", read, err)
	}
	run, err := ann.Run(ctx, image.ID, 1)
	if d := cmp.Diff(read.Contents, run.Contents); err != nil || d != "" {
		t.Errorf("Run: %v (-want +got):\n%s", err, d)
	}
	if runs, err := ann.Runs(ctx, image.ID, 2); err != nil || len(runs) != 1 {
		t.Errorf("Runs: %+v, %v", runs, err)
	}
	if hits, next, err := ann.Search(ctx, api.SearchQuery{Text: "invoice 17", Limit: 1}); err != nil || len(hits) != 1 ||
		hits[0].ContentID != read.Contents[0].ID || next == 0 {
		t.Errorf("Search: %+v, %d, %v", hits, next, err)
	}
	first, text := read.Contents[0], "Invoice No. 1743"
	corrected, err := ann.Correct(ctx, first.ID, 1, api.Correction{Text: &text, ROI: &first.ROI})
	if err != nil || corrected.Text != text || corrected.Revision != 2 {
		t.Errorf("Correct: %+v, %v", corrected, err)
	}
	if _, err := ann.Correct(ctx, first.ID, 1, api.Correction{Text: &text}); err == nil || !strings.Contains(err.Error(), "412") {
		t.Errorf("Correct of an old revision: %v", err)
	}
	if got, err := ann.Content(ctx, first.ID); err != nil || !cmp.Equal(got, corrected) {
		t.Errorf("Content: %+v, %v", got, err)
	}
	if revisions, err := ann.Revisions(ctx, first.ID); err != nil || len(revisions) != 2 || revisions[0].Text != lines[0] {
		t.Errorf("Revisions: %+v, %v", revisions, err)
	}
	if file, err := ann.Export(ctx, image.ID, 1, "txt"); err != nil || !strings.Contains(string(file), text) {
		t.Errorf("Export: %q, %v", file, err)
	}
	again, err := ann.Recognize(ctx, image.ID, api.Request{Into: 1,
		Regions: []api.Region{{Box: first.ROI, Content: first.ID}, {Box: api.Box(boxes[1])}}})
	if err != nil || again.Version != 1 || again.Contents[0].ID != first.ID || again.Contents[0].Text != lines[0] ||
		again.Contents[0].Revision != 3 || again.Contents[0].Name != "number" {
		t.Errorf("Recognize into a version: %+v, %v", again, err)
	}
	yes, no, name := true, false, "no."
	confirmed, err := ann.Correct(ctx, first.ID, 3, api.Correction{Name: &name, Confirmed: &yes,
		Words: []api.WordMark{{Index: 1, Confirmed: true}}})
	if err != nil || !confirmed.Confirmed || confirmed.Name != name || !confirmed.Words[1].Confirmed || confirmed.Revision != 4 {
		t.Errorf("Correct: %+v, %v", confirmed, err)
	}
	must("DeleteContent", ann.DeleteContent(ctx, first.ID))
	deleted, err := ann.Deleted(ctx, image.ID, api.Page{})
	if err != nil || deleted.Total != 1 || deleted.Items[0].ID != first.ID || deleted.Items[0].DeletedDatetime == nil {
		t.Errorf("Deleted: %+v, %v", deleted, err)
	}
	if got, err := ann.Correct(ctx, first.ID, 0, api.Correction{Deleted: &no}); err != nil || !cmp.Equal(got, confirmed) {
		t.Errorf("Correct of what was deleted: %+v, %v", got, err)
	}
	must("PurgeContent", ann.PurgeContent(ctx, first.ID))
	must("DeleteImage", ann.DeleteImage(ctx, image.ID))

	if ready, err := visitor.Ready(ctx); err != nil || ready.Status != "ok" {
		t.Errorf("Ready: %+v, %v", ready, err)
	}

	// Administration.
	if service, err := admin.Service(ctx); err != nil || service.Workers.All != 2 {
		t.Errorf("Service: %+v, %v", service, err)
	}
	if users, err := admin.Users(ctx, "anna", api.Page{}); err != nil || users.Total != 1 || users.Items[0].ID != me.ID {
		t.Errorf("Users: %+v, %v", users, err)
	}
	if got, err := admin.SetRole(ctx, me.ID, "admin"); err != nil || *got.Role != "admin" {
		t.Errorf("SetRole: %+v, %v", got, err)
	}
	if got, err := admin.SetRole(ctx, me.ID, ""); err != nil || got.Role != nil {
		t.Errorf("SetRole: %+v, %v", got, err)
	}
	if got, err := admin.SetLimits(ctx, me.ID, api.LimitsForm{Images: api.ToLimit(5), Bytes: api.ToDefault()}); err != nil ||
		got.Images.Allowed != 5 || !got.Images.Own || got.Bytes.Own {
		t.Errorf("SetLimits: %+v, %v", got, err)
	}
	if got, err := admin.UserLimits(ctx, me.ID); err != nil || got.Images.Allowed != 5 || got.QueuedItems.Allowed != 100_000 {
		t.Errorf("UserLimits: %+v, %v", got, err)
	}
	if got, err := ann.Limits(ctx); err != nil || got.Images.Allowed != 5 {
		t.Errorf("Limits: %+v, %v", got, err)
	}
	if got, err := admin.SetState(ctx, me.ID, "blocked", api.StateForm{Detail: "a test"}); err != nil || len(got.States) != 1 {
		t.Errorf("SetState: %+v, %v", got, err)
	}
	must("ClearState", admin.ClearState(ctx, me.ID, "blocked"))
	jobsOf(t, ann, admin, png)
	webhooksOf(t, ann, png)
	documentOf(t, ann)
	must("DeleteAccount", ann.DeleteAccount(ctx, true))
	test, err := os.ReadFile("client_test.go")
	must("ReadFile", err)
	for method := range reflect.TypeFor[api.Client]().Methods() {
		if !strings.Contains(string(test), "."+method.Name+"(ctx") && method.Name != "WithToken" && method.Name != "Once" {
			t.Errorf("%s is not called here", method.Name)
		}
	}
}

// documentOf calls the methods on documents.
func documentOf(t *testing.T, ann api.Client) {
	t.Helper()
	ctx := t.Context()
	page := func(text string) porttest.PDFPage {
		return porttest.PDFPage{Content: porttest.PDFText(72, 700, 20, text)}
	}
	var locked bytes.Buffer
	pdfcpu.DisableConfigDir()
	plain := porttest.PDF(page("one"), page("two"), page("three"))
	check.OK(t, "Encrypt", pdfcpu.Encrypt(bytes.NewReader(plain), &locked, model.NewAESConfiguration("secret", "owner", 256)))
	_, err := ann.Upload(ctx, "locked.pdf", bytes.NewReader(locked.Bytes()))
	if problem, ok := errors.AsType[*api.Problem](err); !ok || problem.Code != "pdf_encrypted" {
		t.Errorf("Upload without the password: %v", err)
	}
	first, err := ann.UploadLocked(ctx, "locked.pdf", bytes.NewReader(locked.Bytes()), "secret")
	if err != nil || first.Pages != 3 || first.Document != first.ID {
		t.Fatalf("UploadLocked: %+v, %v", first, err)
	}
	pages, err := ann.Pages(ctx, first.ID, api.Page{Size: 2, Number: 1})
	if err != nil || pages.Total != 3 || len(pages.Items) != 1 || pages.Items[0].Page != 3 {
		t.Errorf("Pages: %+v, %v", pages, err)
	}
	runs, err := ann.RecognizePages(ctx, first.ID, "1", api.Request{Effort: "fast"})
	if err != nil || len(runs) != 1 || runs[0].ImageID != first.ID || runs[0].Version == nil || *runs[0].Version != 1 {
		t.Errorf("RecognizePages: %+v, %v", runs, err)
	}
	form := api.JobForm{Documents: []int64{first.ID}, Pages: "2-3", Effort: "fast"}
	made, err := ann.Once("a job").AddJob(ctx, form)
	check.OK(t, "AddJob", err)
	again, err := ann.Once("a job").AddJob(ctx, form)
	check.OK(t, "AddJob", err)
	check.Same(t, "the job that is added again", again.ID, made.ID)
	check.OK(t, "FollowJob", ann.FollowJob(ctx, made.ID, "", func(api.JobEvent) error { return nil }))
	file, err := ann.ExportDocument(ctx, first.ID, "2-3", "txt")
	if err != nil || string(file) != "two\n\fthree\n" {
		t.Errorf("ExportDocument: %q, %v", file, err)
	}
	yes := true
	if hits, _, err := ann.Search(ctx, api.SearchQuery{Text: "three", Confirmed: &yes}); err != nil || len(hits) != 0 {
		t.Errorf("Search in what is confirmed: %+v, %v", hits, err)
	}
}

// jobsOf calls the methods on jobs.
func jobsOf(t *testing.T, ann, admin api.Client, png []byte) {
	t.Helper()
	ctx := t.Context()
	page, err := ann.Upload(ctx, "job.png", bytes.NewReader(png))
	check.OK(t, "Upload", err)
	made, err := ann.AddJob(ctx, firstLine([]int64{page.ID}))
	check.OK(t, "AddJob", err)
	later, err := ann.RecognizeLater(ctx, page.ID, api.Request{Regions: firstLine(nil).Regions, Effort: "fast"})
	check.OK(t, "RecognizeLater", err)
	for _, id := range []string{made.ID, later.ID} {
		var end api.JobEvent
		check.OK(t, "FollowJob", ann.FollowJob(ctx, id, "", func(e api.JobEvent) error { end = e; return nil }))
		got, err := ann.Job(ctx, id)
		if err != nil || got.State != "done" || !reflect.DeepEqual(end.Job, got) {
			t.Errorf("Job: %+v, %v; it ended as %+v", got, err, end.Job)
		}
	}
	jobs, err := ann.Jobs(ctx, later.ID, 10)
	if err != nil || len(jobs) != 1 || jobs[0].ID != made.ID {
		t.Errorf("Jobs: %+v, %v", jobs, err)
	}
	items, err := ann.JobItems(ctx, made.ID, "done", 2, 10)
	if err != nil || len(items) != 1 || items[0].Version == nil || *items[0].Version > 2 { // the two jobs run side by side
		t.Errorf("JobItems: %+v, %v", items, err)
	}
	if _, err := ann.RetryJob(ctx, made.ID); err == nil {
		t.Error("a job that is done was run again")
	}
	check.OK(t, "CancelJob", ann.CancelJob(ctx, made.ID))
	dead, err := admin.DeadItems(ctx, "", 10)
	if err != nil || len(dead) != 0 {
		t.Errorf("DeadItems: %+v, %v", dead, err)
	}
	if err := admin.ReplayItem(ctx, items[0].ID); err == nil {
		t.Error("an item that is done was run again")
	}
}

// webhooksOf has a webhook told of the end of a job, and the delivery of it sent again.
func webhooksOf(t *testing.T, ann api.Client, png []byte) {
	t.Helper()
	ctx := t.Context()
	url, off, told := "https://example.org/hook", false, true
	made, err := ann.AddWebhook(ctx, api.WebhookForm{URL: &url, Items: &told})
	if err != nil || made.Secret == nil || made.URL != url || !made.Items {
		t.Fatalf("AddWebhook: %+v, %v", made, err)
	}
	stopped, err := ann.ChangeWebhook(ctx, made.ID, api.WebhookForm{Enabled: &off, Items: &off})
	if err != nil || stopped.Enabled || stopped.Items || stopped.Secret != nil {
		t.Errorf("ChangeWebhook: %+v, %v", stopped, err)
	}
	if got, err := ann.Webhook(ctx, made.ID); err != nil || !reflect.DeepEqual(got, stopped.Webhook) {
		t.Errorf("Webhook: %+v, %v", got, err)
	}
	if list, err := ann.Webhooks(ctx); err != nil || !reflect.DeepEqual(list, []api.Webhook{stopped.Webhook}) {
		t.Errorf("Webhooks: %+v, %v", list, err)
	}
	page, err := ann.Upload(ctx, "hook.png", bytes.NewReader(png))
	check.OK(t, "Upload", err)
	form := firstLine([]int64{page.ID})
	form.Webhook = made.ID
	job, err := ann.AddJob(ctx, form)
	check.OK(t, "AddJob", err)
	check.OK(t, "FollowJob", ann.FollowJob(ctx, job.ID, "", func(api.JobEvent) error { return nil }))
	deliveries, err := ann.Deliveries(ctx, made.ID, "", 10)
	if err != nil || len(deliveries) != 1 || deliveries[0].Event != "job.ended" || deliveries[0].State != "waiting" {
		t.Fatalf("Deliveries: %+v, %v", deliveries, err)
	}
	check.OK(t, "ReplayDelivery", ann.ReplayDelivery(ctx, made.ID, deliveries[0].ID))
	check.OK(t, "DeleteWebhook", ann.DeleteWebhook(ctx, made.ID))
}
