package demo

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// version is one release of the demo's application.
type version struct {
	tag    string
	broken bool // it needs a variable that the task definition does not set
}

// output is what the application writes when it starts.
func (v version) output() []string {
	lines := []string{"starting " + v.tag}
	if v.broken {
		return append(lines, "fatal: required environment variable DATABASE_URL is not set")
	}
	return append(lines, "listening on :8080")
}

// simulated is the application as an image without content: the simulated
// runtime goes by its labels alone.
func (v version) simulated() (v1.Image, error) {
	labels := map[string]string{
		"org.opencontainers.image.version": v.tag,
		"plimsoll.drydock.log":             strings.Join(v.output(), `\n`),
	}
	if v.broken {
		labels["plimsoll.drydock.exit-after"] = "1s"
		labels["plimsoll.drydock.exit-code"] = "1"
	}
	// linux/amd64 is what Fargate runs unless a task definition says otherwise.
	return mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64",
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}},
		Config: v1.Config{Labels: labels},
	})
}

// writeContext fills a folder that docker can build the application from: the
// plimsoll binary itself, which has it as a hidden command, FROM scratch.
func (v version) writeContext(dir, binary string) error {
	files, err := withLibraries(binary)
	if err != nil {
		return fmt.Errorf("find what %s needs to start: %w", binary, err)
	}
	dockerfile := []string{"FROM scratch"}
	for i, file := range files {
		name, target := fmt.Sprintf("file%d", i), file
		if i == 0 {
			target = "/plimsoll"
		}
		if err := copyFile(file, filepath.Join(dir, name)); err != nil {
			return err
		}
		dockerfile = append(dockerfile, fmt.Sprintf("COPY %s %s", name, target))
	}
	entry := fmt.Sprintf(`ENTRYPOINT ["/plimsoll", "demo-app", "--tag", %q`, v.tag)
	if v.broken {
		entry += `, "--broken"`
	}
	dockerfile = append(dockerfile, "LABEL org.opencontainers.image.version="+v.tag, entry+"]", "")
	return os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(strings.Join(dockerfile, "\n")), 0o644)
}

// copyFile copies a program or library, readable and executable by all.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}

// withLibraries lists a Linux program and every file that its loader needs to
// start it, the loader included. A program linked statically stands alone; the
// go command links dynamically where it finds a C compiler.
func withLibraries(program string) ([]string, error) {
	files := []string{program}
	for i := 0; i < len(files); i++ { // grows as libraries name further ones
		needed, err := needs(files[i])
		if err != nil {
			return nil, err
		}
		for _, file := range needed {
			if !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	return files, nil
}

// needs lists the files that an ELF file names: its loader and its libraries.
func needs(name string) ([]string, error) {
	f, err := elf.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		loader := make([]byte, p.Filesz)
		if _, err := p.ReadAt(loader, 0); err != nil {
			return nil, err
		}
		out = append(out, strings.TrimRight(string(loader), "\x00"))
	}
	libraries, err := f.ImportedLibraries()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, err
	}
	for _, library := range libraries {
		file, err := findLibrary(library)
		if err != nil {
			return nil, err
		}
		out = append(out, file)
	}
	return out, nil
}

// findLibrary looks where the loaders of the usual distributions look.
func findLibrary(name string) (string, error) {
	for _, pattern := range []string{"/lib/*-linux-gnu*/", "/usr/lib/*-linux-gnu*/", "/lib64/", "/usr/lib64/", "/lib/", "/usr/lib/"} {
		if found, err := filepath.Glob(pattern + name); err == nil && len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("no library %s in the usual folders", name)
}
