package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"glyphbox/client"
)

// Reads two regions of an image and corrects the first.
func Example() {
	ctx := context.Background()
	c := client.Client{Server: "http://127.0.0.1:8000"}
	grant, err := c.Login(ctx, "ann", "correct-horse-9")
	if err != nil {
		log.Fatal(err)
	}
	c = c.WithToken(grant.AccessToken)

	file, err := os.Open("docs/sample.png")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	image, err := c.Upload(ctx, "sample.png", file)
	if err != nil {
		log.Fatal(err)
	}

	run, err := c.Recognize(ctx, image.ID, client.Request{Lang: []string{"eng"}, Regions: []client.Region{
		{Box: client.Box{X1: 34, Y1: 100, X2: 322, Y2: 144}, Name: "number"},
		{Box: client.Box{X1: 34, Y1: 220, X2: 369, Y2: 264}, Name: "total"},
	}})
	if problem, ok := errors.AsType[*client.Problem](err); ok && problem.Status == 503 {
		log.Fatalf("busy; try again in %s", problem.RetryAfter)
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, content := range run.Contents {
		fmt.Println(content.Name, content.Text, content.Confidence)
	}

	text, first := "Invoice No. 1743", run.Contents[0]
	if _, err := c.Correct(ctx, first.ID, first.Revision, client.Correction{Text: &text}); err != nil {
		log.Fatal(err)
	}
}
