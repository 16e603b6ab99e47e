package store

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// crashDir tells the test binary that it is the process to be killed.
const crashDir = "PLIMSOLL_STORE_CRASH_DIR"

// TestCrash kills a process that writes without end, and looks at what it
// left: everything that it was told is written is there, every blob is whole,
// and the folder opens again.
func TestCrash(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeForEver(t, dir)
	}
	dir := t.TempDir()
	for round := range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestCrash$")
		child.Env = append(os.Environ(), crashDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		promised := map[string]bool{}
		lines := bufio.NewScanner(out)
		for len(promised) < 7 && lines.Scan() {
			promised[lines.Text()] = true
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			promised[lines.Text()] = true
		}
		_ = child.Wait() // it was killed
		if len(promised) < 7 {
			t.Fatalf("round %d: the process ended early", round)
		}
		checkWhole(t, dir, promised)
	}
}

func checkWhole(t *testing.T, dir string, promised map[string]bool) {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	documents := documentsOf(t, s, "written")
	for digest := range promised {
		if _, ok := documents[digest]; !ok {
			t.Errorf("the document %s is lost", digest)
		}
	}
	for digest := range documents {
		if _, err := s.StatBlob(digest); err != nil {
			t.Error(err)
		}
	}
	blobs, err := s.Blobs()
	if err != nil {
		t.Fatal(err)
	}
	for _, digest := range blobs {
		b, err := s.OpenBlob(digest)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(b)
		if err != nil || digestOf(content) != digest {
			t.Errorf("blob %s is damaged: %v", digest, err)
		}
		_ = b.Close()
	}
}

func writeForEver(t *testing.T, dir string) {
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		digest := add(t, s, bytes.Repeat(fmt.Append(nil, os.Getpid(), n), 50_000))
		if err := s.Update(func(tx *Tx) error { return tx.Put("written", digest, n) }); err != nil {
			t.Fatal(err)
		}
		fmt.Println(digest)
	}
}
