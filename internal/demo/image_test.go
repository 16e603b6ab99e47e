package demo

import (
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestVersionsAreDifferentImages(t *testing.T) {
	seen := map[string]string{}
	for _, v := range []version{{tag: "v1.0.0"}, {tag: "v1.1.0"}, {tag: "v1.1.0", broken: true}} {
		image, err := v.simulated()
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[digest.String()]; ok {
			t.Errorf("%+v has the digest of %s", v, other)
		}
		seen[digest.String()] = v.tag
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if _, exits := config.Config.Labels["plimsoll.drydock.exit-after"]; exits != v.broken {
			t.Errorf("%+v has the labels %v", v, config.Config.Labels)
		}
	}
}

// An image FROM scratch starts only if everything its program needs is in it.
func TestContextHasAllThatTheProgramNeeds(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the demo's containers are for Linux")
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := (version{tag: "v1.2.0", broken: true}).writeContext(dir, binary); err != nil {
		t.Fatal(err)
	}
	dockerfile, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(dockerfile)
	if !strings.HasPrefix(text, "FROM scratch\nCOPY file0 /plimsoll\n") || !strings.Contains(text, `"--tag", "v1.2.0", "--broken"]`) {
		t.Errorf("Dockerfile:\n%s", text)
	}
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if !strings.Contains(text, "/"+library+"\n") {
			t.Errorf("the program needs %s, which is not in\n%s", library, text)
		}
	}
	if _, err := findLibrary("libnowhere.so.7"); err == nil {
		t.Error("a library that does not exist was found")
	}
}
