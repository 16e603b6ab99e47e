package noun

import "testing"

func TestCount(t *testing.T) {
	for got, want := range map[string]string{
		Count(0, "image"):                       "0 images",
		Count(1, "image"):                       "1 image",
		Count(1200, "repository"):               "1,200 repositories",
		Count(2, "key"):                         "2 keys",
		Count(2, "push"):                        "2 pushes",
		Count(2, "log group"):                   "2 log groups",
		Count(2, "y"):                           "2 ys",
		Forms(1, "secret is", "secrets are"):    "1 secret is",
		Forms(1000, "secret is", "secrets are"): "1,000 secrets are",
		Digits(999):                             "999",
		Digits(1234567):                         "1,234,567",
		Digits(-123456):                         "-123,456",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
