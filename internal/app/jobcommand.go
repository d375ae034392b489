package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	api "glyphbox/client"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
	"glyphbox/internal/reading"
)

// jobCommand has the commands on jobs of a running service.
func (p Process) jobCommand() *cobra.Command {
	cmd := group("job", "Read many files in the background with a running service")
	cmd.AddCommand(p.jobAddCommand(), p.jobListCommand(), p.jobShowCommand(), p.jobWatchCommand(), p.jobCancelCommand(),
		p.jobRetryCommand())
	return cmd
}

// jobAt makes a command that works on one service. It calls do with a session, which ends with the command.
func (p Process) jobAt(use, short string, args cobra.PositionalArgs,
	do func(ctx context.Context, s *session, args []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	server := cmd.Flags().String("server", "", "Address of the service, such as https://ocr.example.org.")
	token := cmd.Flags().String(
		"token", "", "API key or access token. Use the variable "+tokenVariable+" to hide it from others on this machine.")
	user := cmd.Flags().String("user", "", "User to sign in as, if there is no token.")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if *server == "" {
			return usagef("--server is required")
		}
		s, err := p.signIn(cmd.Context(), *server, *token, *user)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.end()) }()
		return do(cmd.Context(), s, args)
	}
	return cmd
}

func (p Process) jobAddCommand() *cobra.Command {
	var form api.JobForm
	var regions *[]string
	var lang, state, locked *string
	var watch *bool
	cmd := p.jobAt("add FILE...", "Upload files and folders and read them in the background", cobra.MinimumNArgs(1),
		func(ctx context.Context, s *session, names []string) error {
			form := form
			if *lang != "" {
				form.Lang = strings.Split(*lang, "+")
			}
			if err := checkJob(form); err != nil {
				return err
			}
			for _, text := range *regions {
				box, err := parseRegion(text)
				if err != nil {
					return err
				}
				form.Regions = append(form.Regions, api.Region{Box: api.Box{X1: box.X1, Y1: box.Y1, X2: box.X2, Y2: box.Y2}})
			}
			password, err := filePassword(*locked)
			if err != nil {
				return err
			}
			id, missing, err := p.addJob(ctx, s, form, names, *state, password)
			if err != nil {
				return err
			}
			fmt.Fprintln(p.Stdout, id)
			if *watch {
				err = p.watchJob(ctx, s, id)
			}
			return errors.Join(err, missing)
		})
	cmd.Long = "Uploads images and PDF files, and all those in folders, makes a job that reads all their pages, and prints its id.\n" +
		"It leaves out files that cannot be uploaded, names them, and then exits with an error.\n" +
		"If the job is refused, the command deletes what it has uploaded. With --state it deletes nothing but records the uploads\n" +
		"in a file, so that it can be interrupted and run again, until there is a job: no files are added to one."
	cmd.Example = "  glyphbox job add scans/ --server https://ocr.example.org --state scans.job --watch"
	regions = cmd.Flags().StringArray("region", nil,
		"Region in pixels of each upright page, x1,y1,x2,y2; may be repeated. Default: the whole page.")
	lang = cmd.Flags().String("lang", "", "Languages, joined by +, or auto. Default: "+recognition.DefaultLang+".")
	cmd.Flags().StringVar(&form.Rotate, "rotate", "", "Clockwise rotation of the text: auto, 0, 90, 180 or 270.")
	cmd.Flags().StringVar(&form.Effort, "effort", "", "fast, balanced or accurate. Default: that of the service.")
	cmd.Flags().StringVar(&form.Priority, "priority", "", "Priority among your own jobs: low, normal or high.")
	state = cmd.Flags().String("state", "", "File that records the uploads, to resume after an interruption.")
	locked = passwordFileFlag(cmd.Flags())
	watch = cmd.Flags().Bool("watch", false, "Wait until the job ends.")
	return cmd
}

// priorities are those of jobs, as the API calls them.
var priorities = []string{"low", "normal", "high"}

// checkJob rejects options that the service would refuse for any image.
func checkJob(form api.JobForm) error {
	switch {
	case form.Effort != "" && !slices.Contains(recognition.Efforts, recognition.Effort(form.Effort)):
		return usagef("--effort %s: must be fast, balanced or accurate", form.Effort)
	case form.Priority != "" && !slices.Contains(priorities, form.Priority):
		return usagef("--priority %s: must be low, normal or high", form.Priority)
	case form.Rotate != "":
		return checkRotate(form.Rotate)
	}
	return nil
}

// journal records the progress of job add: a line for each uploaded file with its image, and one for the job.
type journal struct {
	mu     sync.Mutex
	file   *os.File // nil: nothing is written down
	images map[string]int64
	job    string
	broken error // of the first note that failed: nothing may follow half a line
}

const journalOfJob = "job"

// openJournal reads an existing journal, if any, and drops an incomplete last line.
func openJournal(path string) (*journal, error) {
	j := &journal{images: map[string]int64{}}
	if path == "" {
		return j, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j.file = file
	whole := int64(0)
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		kind, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		id, number := strconv.ParseInt(kind, 10, 64)
		switch {
		case kind == journalOfJob:
			j.job = rest
		case ok && number == nil:
			j.images[rest] = id
		default:
			return nil, errors.Join(fmt.Errorf("%s is not a state file of a job", path), file.Close())
		}
		whole += int64(len(line))
	}
	_, err = file.Seek(whole, 0)
	return j, errors.Join(err, file.Truncate(whole))
}

// note writes a line. If that fails, it takes back what it has written of it.
func (j *journal) note(line string) error {
	if j.file == nil || j.broken != nil {
		return j.broken
	}
	end, err := j.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = j.file.WriteString(line + "\n")
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = errors.Join(err, j.file.Truncate(end))
	}
	return j.broken
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

// documents returns the documents of files, and an error if some have none, which says what became of those.
func (j *journal) documents(files []reading.File, what string) (ids []int64, missing error) {
	for _, f := range files {
		if id, is := j.images[f.Name]; is {
			ids = append(ids, id)
		}
	}
	if n := len(files) - len(ids); n > 0 {
		missing = fmt.Errorf("%d of %d files %s", n, len(files), what)
	}
	return ids, missing
}

// addJob uploads files and makes a job of them, skipping what the journal has. missing says that some files are not in the job.
func (p Process) addJob(ctx context.Context, s *session, form api.JobForm, names []string, state, password string) (
	id string, missing, err error,
) {
	files, forget, err := reading.Find(names, p.Stdin)
	if err != nil {
		return "", nil, err
	}
	defer forget()
	j, err := openJournal(state)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	if j.job != "" {
		_, missing = j.documents(files, "are not in the job; add them as another job")
		return j.job, missing, nil
	}
	if err := s.checkLang(ctx, form.Lang); err != nil {
		return "", nil, err
	}
	var made api.Job
	err = p.uploadAll(ctx, s, j, files, password)
	if form.Documents, missing = j.documents(files, "could not be added"); err == nil && len(form.Documents) == 0 {
		return "", nil, missing
	}
	refused := err != nil
	if err == nil {
		err = s.do(ctx, func(c api.Client) (err error) { made, err = c.AddJob(ctx, form); return err })
		problem, ok := errors.AsType[*api.Problem](err)
		refused = ok && problem.Status < http.StatusInternalServerError // else there may be a job
	}
	if refused && j.file == nil {
		err = errors.Join(err, s.takeBack(ctx, slices.Collect(maps.Values(j.images))...))
	}
	if err != nil {
		return "", nil, err
	}
	if err := j.note(journalOfJob + " " + made.ID); err != nil {
		return "", nil, fmt.Errorf("job %s is made, but is not in the state file: %w", made.ID, err)
	}
	return made.ID, missing, nil
}

// takeBack deletes what was uploaded, even if the command was interrupted.
func (s *session) takeBack(ctx context.Context, images ...int64) error {
	ctx = context.WithoutCancel(ctx)
	left := len(images)
	for _, id := range images {
		if err := s.do(ctx, func(c api.Client) error { return c.DeleteImage(ctx, id) }); err != nil {
			return fmt.Errorf("still on the server: %s (%s)", progress.Counted(left, "document"), explain(err))
		}
		left--
	}
	return nil
}

// uploadAll uploads files. It names those that cannot be uploaded. If it is not for the file that an upload fails, it finishes the uploads
// in progress, so that the journal knows what has arrived.
func (p Process) uploadAll(ctx context.Context, s *session, j *journal, files []reading.File, password string) error {
	goOn, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	display := progress.New(p.Stderr)
	defer display.Clear()
	places := make(chan struct{}, uploadsAtOnce)
	var all sync.WaitGroup
	for _, f := range files {
		select {
		case places <- struct{}{}:
		case <-goOn.Done():
		}
		if goOn.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-places }()
			done, err := upload(ctx, s, j, f, password)
			switch named := fmt.Errorf("%s: %w", f.Name, lockedError(err, password)); {
			case err == nil:
				display.Say("uploaded %d of %d files", done, len(files))
			case isOfFile(err, f.Name):
				display.Printf(p.Stderr, "glyphbox: %s", explain(named))
			default:
				stop(named)
			}
		})
	}
	all.Wait()
	return context.Cause(goOn)
}

// isOfFile tells whether an upload failed because of its file, so that others can be uploaded all the same. That the program has too many
// open files is for none of them.
func isOfFile(err error, name string) bool {
	if problem, refused := errors.AsType[*api.Problem](err); refused {
		return slices.Contains([]int{http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity},
			problem.Status)
	}
	failed, is := errors.AsType[*fs.PathError](err)
	return is && failed.Path == name && !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE)
}

// upload uploads a file unless the journal has it, and returns how many files are uploaded by then. It deletes an image that the journal
// cannot have, since the next run uploads its file again.
func upload(ctx context.Context, s *session, j *journal, f reading.File, password string) (done int, err error) {
	j.mu.Lock()
	done, is := len(j.images), j.images[f.Name] != 0
	j.mu.Unlock()
	if is {
		return done, nil
	}
	var image api.Image
	if err := s.do(ctx, func(c api.Client) (err error) {
		image, err = reading.UploadFile(ctx, c, f, password)
		return err
	}); err != nil {
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.note(fmt.Sprintf("%d %s", image.ID, f.Name)); err != nil {
		return 0, errors.Join(err, s.takeBack(ctx, image.ID))
	}
	j.images[f.Name] = image.ID
	return len(j.images), nil
}

func (p Process) jobListCommand() *cobra.Command {
	return p.jobAt("list", "List your newest jobs", cobra.NoArgs, func(ctx context.Context, s *session, _ []string) error {
		var jobs []api.Job
		err := s.do(ctx, func(c api.Client) (err error) { jobs, err = c.Jobs(ctx, "", 100); return err })
		for _, j := range jobs {
			fmt.Fprintf(p.Stdout, "%s  %-9s  %s  %s\n", j.ID, j.State, j.CreatedDatetime, counts(j))
		}
		return err
	})
}

// counts describes the progress of a job.
func counts(j api.Job) string {
	text := fmt.Sprintf("%d of %d read", j.Done, j.Total)
	if j.Failed > 0 {
		text += fmt.Sprintf(", %d failed", j.Failed)
	}
	if j.Cancelled > 0 {
		text += fmt.Sprintf(", %d cancelled", j.Cancelled)
	}
	if j.EstimatedDatetime != nil {
		if end, err := time.Parse(time.RFC3339, *j.EstimatedDatetime); err == nil {
			text += fmt.Sprintf(", about %s left", max(0, time.Until(end)).Round(time.Second))
		}
	}
	return text
}

func (p Process) jobShowCommand() *cobra.Command {
	return p.jobAt("show JOB", "Show a job and its failed images", cobra.ExactArgs(1),
		func(ctx context.Context, s *session, args []string) error {
			var j api.Job
			if err := s.do(ctx, func(c api.Client) (err error) { j, err = c.Job(ctx, args[0]); return err }); err != nil {
				return err
			}
			fmt.Fprintf(p.Stdout, "%s  %s  %s\n", j.ID, j.State, counts(j))
			if j.Error != nil {
				fmt.Fprintf(p.Stdout, "stopped: %s (%s)\n", j.Error.Detail, j.Error.Code)
			}
			return p.showFailed(ctx, s, j.ID)
		})
}

func (p Process) showFailed(ctx context.Context, s *session, id string) error {
	var failed []api.JobItem
	for before := 0; ; before = failed[len(failed)-1].Number {
		var part []api.JobItem
		if err := s.do(ctx, func(c api.Client) (err error) {
			part, err = c.JobItems(ctx, id, "failed", before, 100)
			return err
		}); err != nil {
			return err
		}
		failed = append(failed, part...)
		if len(part) < 100 {
			break
		}
	}
	slices.Reverse(failed)
	for _, i := range failed {
		fmt.Fprintf(p.Stdout, "  %d  image %d  %s (%s)\n", i.Number, i.ImageID, i.Error.Detail, i.Error.Code)
	}
	return nil
}

func (p Process) jobWatchCommand() *cobra.Command {
	return p.jobAt("watch JOB", "Wait until a job ends", cobra.ExactArgs(1),
		func(ctx context.Context, s *session, args []string) error {
			return p.watchJob(ctx, s, args[0])
		})
}

// errJobFailed makes the command fail if some images could not be read.
var errJobFailed = errors.New("some images could not be read")

// watchPause is the pause before following a job again after the connection broke.
const watchPause = time.Second

func (p Process) watchJob(ctx context.Context, s *session, id string) error {
	display := progress.New(p.Stderr)
	defer display.Clear()
	last := ""
	var j api.Job
	for {
		c := s.current()
		err := c.FollowJob(ctx, id, last, func(e api.JobEvent) error {
			if last = e.ID; e.Name != "item" {
				j = e.Job
				display.Say("%s", counts(j))
			}
			return nil
		})
		if err == nil {
			break
		}
		problem, refused := errors.AsType[*api.Problem](err)
		switch {
		case refused && problem.Status == http.StatusUnauthorized && s.password != "":
			err = s.renew(ctx, c.Token)
		case refused && problem.RetryAfter > 0, !refused && last != "", errors.Is(err, api.ErrStreamEnded):
			err = nil
		}
		if err != nil {
			return err
		}
		select {
		case <-time.After(watchPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	display.Clear()
	fmt.Fprintf(p.Stdout, "%s  %s\n", j.State, counts(j))
	if err := p.showFailed(ctx, s, id); err != nil {
		return err
	}
	if j.Done < j.Total {
		return errJobFailed
	}
	return nil
}

func (p Process) jobCancelCommand() *cobra.Command {
	return p.jobAt("cancel JOB", "Cancel the items of a job that have not started", cobra.ExactArgs(1),
		func(ctx context.Context, s *session, args []string) error {
			return s.do(ctx, func(c api.Client) error { return c.CancelJob(ctx, args[0]) })
		})
}

func (p Process) jobRetryCommand() *cobra.Command {
	return p.jobAt("retry JOB", "Retry the failed and cancelled items of a job", cobra.ExactArgs(1),
		func(ctx context.Context, s *session, args []string) error {
			return s.do(ctx, func(c api.Client) error { _, err := c.RetryJob(ctx, args[0]); return err })
		})
}
