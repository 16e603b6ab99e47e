package survey

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// format is the number of the form that fleets are kept in. It goes up when an
// older build would misread one; new members alone do not need it.
const format = 1

// kept is a fleet in a file.
type kept struct {
	Format int         `json:"plimsollFleet"`
	Fleet  audit.Fleet `json:"fleet"`
}

// FileError is a file that holds no fleet that this build can read.
type FileError struct {
	Name string
	What string
	Do   string
	Err  error
}

func (e *FileError) Error() string { return e.Name + ": " + e.What }

// Hint says what to do.
func (e *FileError) Hint() string { return e.Do }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// WriteFleet keeps a fleet in a file, compressed when its name ends in .gz. The
// file is there whole or not at all.
func WriteFleet(name string, f audit.Fleet) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("save the fleet: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("save the fleet: %w", errors.Join(err, os.Remove(file.Name())))
		}
	}()
	err = encode(file, f, strings.HasSuffix(name, ".gz"))
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

func encode(w io.Writer, f audit.Fleet, compressed bool) error {
	buffer := bufio.NewWriter(w)
	if !compressed {
		return errors.Join(json.NewEncoder(buffer).Encode(kept{format, f}), buffer.Flush())
	}
	z, err := gzip.NewWriterLevel(buffer, gzip.BestSpeed)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(z).Encode(kept{format, f}), z.Close(), buffer.Flush())
}

// ReadFleet reads what [WriteFleet] has written, compressed or not. A file that
// holds something else, or a fleet of a newer build, is a [*FileError].
func ReadFleet(name string) (audit.Fleet, error) {
	file, err := os.Open(name)
	if err != nil {
		return audit.Fleet{}, &FileError{Name: name, What: "cannot be opened: " + reasonOfPath(err), Do: "name a file that audit --save has written", Err: err}
	}
	defer file.Close()
	return decode(name, file)
}

// reasonOfPath is an error of the file system without the name in it.
func reasonOfPath(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

func decode(name string, r io.Reader) (audit.Fleet, error) {
	broken := func(err error) error {
		return &FileError{Name: name, What: "is no fleet: " + err.Error(), Do: "name a file that audit --save has written", Err: err}
	}
	buffer := bufio.NewReader(r)
	var in io.Reader = buffer
	if magic, _ := buffer.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b { // RFC 1952
		z, err := gzip.NewReader(buffer)
		if err != nil {
			return audit.Fleet{}, broken(err)
		}
		in = z
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return audit.Fleet{}, broken(err)
	}
	var head struct {
		Format int `json:"plimsollFleet"`
	}
	switch err := json.Unmarshal(text, &head); {
	case err != nil:
		return audit.Fleet{}, broken(err)
	case head.Format == 0:
		return audit.Fleet{}, broken(errors.New("it does not say plimsollFleet"))
	case head.Format > format:
		return audit.Fleet{}, &FileError{
			Name: name, What: fmt.Sprintf("was written by a newer plimsoll: format %d, this one reads up to %d", head.Format, format),
			Do: "use the plimsoll that saved it, or take the fleet again",
		}
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return audit.Fleet{}, broken(err)
	}
	return k.Fleet, nil
}
