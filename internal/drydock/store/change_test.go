package store

import (
	"errors"
	"testing"
)

// Whoever is told of changes hears of each once, kept or forgotten, and of
// nothing that is none.
func TestChangesAreTold(t *testing.T) {
	folder, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Store{"folder": folder, "memory": Memory(), "forgotten": Ephemeral()} {
		told := 0
		s.OnChange(func() { told++ })
		for _, change := range []func(*Tx) error{
			func(tx *Tx) error { return tx.Put("b", "k", 1) },
			func(tx *Tx) error { return errors.Join(tx.Put("b", "k", 2), tx.Put("b", "l", 2)) },
			func(tx *Tx) error { return tx.Delete("b", "k") },
			func(tx *Tx) error { return nil },
			func(tx *Tx) error { return errors.New("refused") },
		} {
			_ = s.Update(change)
		}
		if told != 3 {
			t.Errorf("%s: told of %d changes of 3", name, told)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
