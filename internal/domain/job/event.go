package job

import (
	"time"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/webhook"
)

// EndOfJob is the message to a webhook when a job has ended. A job that was retried ends again. The names are those of the API.
func EndOfJob(j Job) webhook.Event {
	return webhook.Event{Type: "job.ended", At: micro(j.Finished), Data: struct {
		ID        string         `json:"id"`
		State     State          `json:"state"`
		Total     int            `json:"total"`
		Done      int            `json:"done"`
		Failed    int            `json:"failed"`
		Cancelled int            `json:"cancelled"`
		Created   time.Time      `json:"created_datetime"`
		Finished  time.Time      `json:"finished_datetime"`
		Error     *fault.Failure `json:"error,omitempty"`
	}{j.ID, j.State, j.Count.Total, j.Count.Done, j.Count.Failed, j.Count.Cancelled, micro(j.Created), micro(j.Finished), j.Stopped}}
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// EndOfItem is the message to a webhook when a started item has ended.
func EndOfItem(i Item) webhook.Event {
	return webhook.Event{Type: "item.ended", At: micro(i.Finished), Item: true, Data: struct {
		ID       string         `json:"id"`
		Job      string         `json:"job"`
		Number   int            `json:"number"`
		ImageID  int64          `json:"image_id"`
		State    State          `json:"state"`
		Dead     bool           `json:"dead,omitempty"`
		Version  int            `json:"version,omitempty"`
		Tries    int            `json:"tries"`
		Begun    time.Time      `json:"begun_datetime"`
		Finished time.Time      `json:"finished_datetime"`
		Error    *fault.Failure `json:"error,omitempty"`
	}{i.ID, i.Job, i.Number, i.ImageID, i.State, i.Dead, i.Version, i.Tries, micro(i.Begun), micro(i.Finished), i.Error}}
}
