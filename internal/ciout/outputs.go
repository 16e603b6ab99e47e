package ciout

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// named is one value of an outcome by the name that it has somewhere.
type named struct{ name, value string }

// values are all of them.
func (o Outcome) values(names [5]string) []named {
	return []named{
		{names[0], o.ImageTag}, {names[1], o.ImageDigest}, {names[2], o.TaskDefinition}, {names[3], o.Verdict}, {names[4], o.URL},
	}
}

// ValueError is a value that a format cannot carry.
type ValueError struct{ Name, Value string }

func (e *ValueError) Error() string {
	return fmt.Sprintf("%s=%q cannot stand in a dotenv report", e.Name, e.Value)
}

// Hint says what to do.
func (e *ValueError) Hint() string {
	return "blanks, quotes, backslashes and $ are not taken there; write them as %20 and so on in an address"
}

// Dotenv is the outcome as GitLab reads it: NAME=value lines without quotes,
// comments and empty lines. What is not known is left out, and so is a value
// that cannot stand there; the error names it.
// https://docs.gitlab.com/ci/variables/dotenv_variables/
func (o Outcome) Dotenv() (string, error) {
	var b strings.Builder
	var errs []error
	for _, v := range o.values([5]string{
		"PLIMSOLL_IMAGE_TAG", "PLIMSOLL_IMAGE_DIGEST", "PLIMSOLL_TASK_DEFINITION", "PLIMSOLL_VERDICT", "PLIMSOLL_URL",
	}) {
		if v.value == "" {
			continue
		}
		if strings.ContainsFunc(v.value, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("'\"`\\$", r) }) {
			errs = append(errs, &ValueError{v.name, v.value})
			continue
		}
		fmt.Fprintf(&b, "%s=%s\n", v.name, v.value)
	}
	return b.String(), errors.Join(errs...)
}

// Outputs is the outcome as GITHUB_OUTPUT takes it. What is not known is empty
// there, lest it be what another command of the step has left. The delimiter is of
// this call alone, so that no value can end itself and begin another one.
func (o Outcome) Outputs() string {
	delimiter := "plimsoll_" + rand.Text()
	var b strings.Builder
	for _, v := range o.values([5]string{"image-tag", "image-digest", "task-definition", "verdict", "url"}) {
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", v.name, delimiter, v.value, delimiter)
	}
	return b.String()
}

// Replace writes a file at once: who reads it finds the old text or the new one.
func Replace(file, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".plimsoll-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = io.WriteString(f, text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// Append adds lines to a file of the runner's. What stands there already may
// lack its line end.
func Append(file, lines string) (err error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			lines = "\n" + lines
		}
	}
	_, err = io.WriteString(f, lines)
	return err
}
