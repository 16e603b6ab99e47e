package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/pipeline"
)

// writtenFile is what became of a file, for --output json.
type writtenFile struct {
	File   string `json:"file"`
	Change string `json:"change"` // "new", "changed" or "none"
}

// writeFiles writes files below a folder, all or none of them, and says what became of
// each. What would change in those that are there is shown first and asked for.
func (s *session) writeFiles(root string, files []pipeline.File, yes bool) error {
	done, err := s.mayWrite(root, files, yes)
	if err != nil {
		return err
	}
	if err := putFiles(root, files, done); err != nil {
		return err
	}
	for _, f := range done {
		switch {
		case s.json():
			s.object(f)
		case f.Change == "none":
			fmt.Fprintf(s.sys.Stderr, "%s says all that already\n", f.File)
		default:
			fmt.Fprintf(s.sys.Stderr, "wrote %s\n", f.File)
		}
	}
	return nil
}

// mayWrite is what would become of files, where nothing stands against it.
func (s *session) mayWrite(root string, files []pipeline.File, yes bool) ([]writtenFile, error) {
	done := make([]writtenFile, len(files))
	var replaced []string
	for i, f := range files {
		before, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.Name)))
		done[i] = writtenFile{f.Name, "changed"}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			done[i].Change = "new"
		case err != nil:
			return nil, err
		case string(before) == f.Text:
			done[i].Change = "none"
		default:
			replaced = append(replaced, f.Name)
			if s.json() {
				continue
			}
			fmt.Fprintf(s.sys.Stdout, "%s would change:\n", f.Name)
			if err := lineDiff(s.sys.Stdout, string(before), f.Text); err != nil {
				return nil, err
			}
		}
	}
	if len(replaced) > 0 && !yes {
		if !s.answers(yes) {
			return nil, &refusedError{fmt.Errorf("%s would change so (--yes writes it)", strings.Join(replaced, ", "))}
		}
		if err := s.ask("write over " + strings.Join(replaced, ", ") + "?"); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// putFiles writes every file beside its place before any takes it.
func putFiles(root string, files []pipeline.File, changes []writtenFile) error {
	type move struct{ from, to string }
	var moves []move
	defer func() {
		for _, m := range moves {
			_ = os.Remove(m.from) // one that took its place is gone already
		}
	}()
	for i, f := range files {
		if changes[i].Change == "none" {
			continue
		}
		to := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		from, err := putBeside(to, f.Text)
		if err != nil {
			return err
		}
		moves = append(moves, move{from, to})
	}
	for _, m := range moves {
		if err := os.Rename(m.from, m.to); err != nil {
			return err
		}
	}
	return nil
}

// putBeside writes a text into a new file in the folder of another.
func putBeside(file, text string) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// printFiles shows files; where there are several, each below its name.
func (s *session) printFiles(files []pipeline.File) error {
	for _, f := range files {
		if s.json() {
			s.object(map[string]string{"file": f.Name, "text": f.Text})
			continue
		}
		if len(files) > 1 {
			fmt.Fprintf(s.sys.Stdout, "# ---- %s ----\n", f.Name)
		}
		if _, err := fmt.Fprint(s.sys.Stdout, f.Text); err != nil {
			return err
		}
	}
	return nil
}

// answers reports whether somebody is there to be asked, and wants to be.
func (s *session) answers(yes bool) bool { return !yes && !s.json() && isTerminal(s.sys.Stdin) }

// question is the answer of somebody on the terminal.
func (s *session) question(text string) (string, error) {
	fmt.Fprint(s.sys.Stderr, text)
	answer, err := s.answersIn().ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(s.sys.Stderr)
		return "", &usageError{errors.New("the answers ended; nothing was written"), "say it with flags: --help"}
	}
	return strings.TrimSpace(answer), nil
}

// answersIn is stdin, read by lines: one reader for all questions, for a reader may
// take more than its line.
func (s *session) answersIn() *bufio.Reader {
	if s.lines == nil {
		s.lines = bufio.NewReader(s.sys.Stdin)
	}
	return s.lines
}
