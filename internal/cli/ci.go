package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/ciout"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// dotenvFlag is of every command that leaves something for the next job: an
// image, or a verdict.
type dotenvFlag struct {
	Dotenv string `help:"Write tag, digest, revision, verdict and URL as NAME=value lines, for another job (PLIMSOLL_DOTENV); whatever the verdict is." placeholder:"FILE" type:"path"`
}

// ciJob is the command as a part of a CI job. A nil one is of no CI system.
type ciJob struct {
	run     ci.Run
	dialect ci.Dialect
	command string // "deploy"
	log     *ciout.Log
	marks   io.Writer // where commands to the CI system go; nil: none may
	apart   bool      // what the command tells is not of this job
	leaves  bool      // the command leaves an outcome
	dotenv  string    // a file for it; "" is none
	notes   []ciout.Annotation
	page    func(room int) string // a summary of its own; nil: that of the verdict
}

// beginCI finds out how the CI system wants to be spoken to, and has everything
// that is written from now on obey.
func (s *session) beginCI(parsed *kong.Context) error {
	choice := cmp.Or(s.globals.CI, s.sys.Getenv("PLIMSOLL_CI"), "auto")
	j := &ciJob{run: ci.Detect(s.sys.Getenv)}
	switch d := ci.Dialect(choice); {
	case choice == "auto":
		j.dialect = j.run.Dialect()
	case d == ci.GitLabDialect || d == ci.GitHubDialect || d == ci.PlainDialect:
		j.dialect = d
	default:
		return &usageError{fmt.Errorf("PLIMSOLL_CI=%s: there is auto, %s", choice, strings.Join(ci.Dialects(), ", ")), ""}
	}
	if node := parsed.Selected(); node != nil {
		j.command = strings.TrimPrefix(node.FullPath(), "plimsoll ")
	}
	if j.command == "demo" || j.command == "maintenance lambda" {
		j.dialect, j.apart = ci.PlainDialect, true
	}
	for _, flag := range parsed.Flags() {
		if flag.Name == "dotenv" {
			file, _ := parsed.FlagValue(flag).(string)
			j.leaves, j.dotenv = true, cmp.Or(file, s.sys.Getenv("PLIMSOLL_DOTENV"))
		}
	}
	if !s.json() && !isFile(s.sys.Stderr) {
		j.marks = s.sys.Stderr
	}
	j.log = ciout.NewLog(ciout.Options{Dialect: j.dialect, Marks: j.marks, ID: strconv.FormatInt(time.Now().UnixMilli(), 36) + "_"})
	s.ci = j
	if j.command != "drydock exec" { // what a child writes is its own, commands too
		s.sys.Stdout, s.sys.Stderr = j.guard(s.sys.Stdout, s.json()), j.guard(s.sys.Stderr, false)
	}
	if j.dotenv == "" {
		return nil
	}
	// A file that cannot be written is told before anything is changed, and what
	// an earlier command left there is not taken for this one's.
	outcome, _ := ciout.Outcome{Verdict: ciout.Unfinished}.Dotenv()
	if err := ciout.Replace(j.dotenv, outcome); err != nil {
		source := "--dotenv"
		if s.sys.Getenv("PLIMSOLL_DOTENV") == j.dotenv {
			source = "PLIMSOLL_DOTENV"
		}
		return &usageError{fmt.Errorf("%s: %w", source, err), "name a file in a folder that is there and can be written to"}
	}
	return nil
}

// guard is a stream in which nothing is a command to the CI system. What goes
// into a file goes there as it is.
func (j *ciJob) guard(w io.Writer, json bool) io.Writer {
	if isFile(w) {
		return w
	}
	return ciout.Guard(j.dialect, json, w)
}

func isFile(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// shape makes the terminal one of a CI job: nothing is redrawn there, a terminal
// or not, and the CI system's marks go around the steps.
func (j *ciJob) shape(o *term.Options) {
	if j == nil {
		return
	}
	if o.Mode == term.Live && (j.run.System != "" || j.dialect != ci.PlainDialect) {
		o.Mode = term.Lines
	}
	if !j.apart {
		o.Around = j.log.Around
	}
}

// found notes what outcomes tell of a service beside its verdict.
func (j *ciJob) found(h *harbour) {
	if j != nil && h.settings.URL.Given() {
		j.log.Record.URL(h.target.String(), h.settings.URL.Value)
	}
}

// pushed notes an image that was pushed.
func (j *ciJob) pushed(p build.Pushed) {
	if j != nil {
		j.log.Record.Pushed(p.Image.Tag, p.Digest)
	}
}

// hear notes an event that the terminal is told otherwise.
func (j *ciJob) hear(e story.Event) {
	if j != nil {
		j.log.Record.Hear(e)
	}
}

// shows reports whether the job has a page for summaries.
func (s *session) shows() bool {
	return s.ci != nil && s.ci.dialect == ci.GitHubDialect && s.sys.Getenv("GITHUB_STEP_SUMMARY") != ""
}

// endCI ends a command as [session.fail] does, and then tells the CI system what
// it came to: annotations, outputs, a summary. What cannot be told is a warning;
// only the file that was asked for by name is worth an exit code.
func (s *session) endCI(err error) int {
	if s.ci == nil {
		return s.fail(err)
	}
	s.ci.log.Close(story.Event{Time: time.Now()})
	code := s.fail(err)
	trouble := troubleOf(err)
	if s.ci.dialect == ci.GitHubDialect {
		s.annotate(err, trouble)
		s.tellGitHub(code, trouble)
	}
	if s.ci.dotenv == "" {
		return code
	}
	text, bad := s.ci.log.Record.Outcome(code).Dotenv()
	if err := errors.Join(bad, ciout.Replace(s.ci.dotenv, text)); err != nil {
		return cmp.Or(code, s.fail(fmt.Errorf("--dotenv: %w", err)))
	}
	return code
}

// troubleOf is an error that no verdict tells of; nil for none.
func troubleOf(err error) *ciout.Trouble {
	if _, told := errors.AsType[*exitError](err); err == nil || told || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return &ciout.Trouble{Message: strings.TrimSpace(err.Error()), Hint: hintOf(err)}
}

// annotate writes annotations to the log, after everything else.
func (s *session) annotate(err error, trouble *ciout.Trouble) {
	if s.ci.marks == nil {
		return
	}
	all := s.lineErrors(err)
	if len(all) == 0 && trouble != nil {
		all = append(all, ciout.Annotation{Level: ciout.Error, Title: "plimsoll " + s.ci.command, Text: strings.TrimSpace(trouble.Message + "\n" + trouble.Hint)})
	}
	all = append(append(all, s.ci.log.Record.Annotations()...), s.ci.notes...)
	_, _ = io.WriteString(s.ci.marks, ciout.Annotations(all)) // nobody reads it: nothing to be done
}

// tellGitHub writes what other steps can use, and the page.
func (s *session) tellGitHub(code int, trouble *ciout.Trouble) {
	record := s.ci.log.Record
	if file := s.sys.Getenv("GITHUB_OUTPUT"); file != "" && s.ci.leaves {
		if err := ciout.Append(file, record.Outcome(code).Outputs()); err != nil {
			s.warn("GITHUB_OUTPUT: %v", err)
		}
	}
	if !s.shows() || !s.ci.leaves && s.ci.page == nil && record.Empty() {
		return
	}
	file := s.sys.Getenv("GITHUB_STEP_SUMMARY")
	room := ciout.MostSummary
	if info, err := os.Stat(file); err == nil {
		room -= int(info.Size()) + 2
	}
	text := ""
	if s.ci.page != nil {
		text = s.ci.page(room)
	} else {
		text = record.Summary(s.ci.run, s.ci.command, trouble, room)
	}
	if text == "" {
		return
	}
	if err := ciout.Append(file, text+"\n"); err != nil {
		s.warn("GITHUB_STEP_SUMMARY: %v", err)
	}
}

// lineErrors are the errors that stand at a line of plimsoll.yaml.
func (s *session) lineErrors(err error) []ciout.Annotation {
	at := func(file string, line, column int, text string) ciout.Annotation {
		return ciout.Annotation{
			Level: ciout.Error, Title: config.FileName, File: cmp.Or(s.inRepository(file), filepath.ToSlash(file)), Line: line, Column: column, Text: text,
		}
	}
	switch e := err.(type) {
	case nil:
		return nil
	case *strictyaml.Error:
		return []ciout.Annotation{at(e.File, e.Line, e.Column, e.Text)}
	case *config.InvalidError:
		if file, line, column, ok := sourceLine(e.Source); ok {
			return []ciout.Annotation{at(file, line, column, fmt.Sprintf("%q: %s", e.Value, e.Why))}
		}
	case interface{ Unwrap() []error }:
		var all []ciout.Annotation
		for _, one := range e.Unwrap() {
			all = append(all, s.lineErrors(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return s.lineErrors(e.Unwrap())
	}
	return nil
}

// sourceLine reads a source such as "plimsoll.yaml:12:7".
func sourceLine(source string) (file string, line, column int, ok bool) {
	found := regexp.MustCompile(`^(.+):(\d+):(\d+)$`).FindStringSubmatch(source)
	if found == nil {
		return "", 0, 0, false
	}
	line, _ = strconv.Atoi(found[2]) // digits
	column, _ = strconv.Atoi(found[3])
	return found[1], line, column, true
}

// inRepository is a file as its repository calls it; "" outside of one.
func (s *session) inRepository(name string) string {
	name, err := filepath.Abs(name)
	if err != nil {
		return ""
	}
	for root := filepath.Dir(name); ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
			inside, err := filepath.Rel(root, name)
			if err != nil {
				return ""
			}
			return filepath.ToSlash(inside)
		}
		if root == filepath.Dir(root) {
			return ""
		}
	}
}
