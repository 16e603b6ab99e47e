package grammar

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

type port struct {
	Chart  string   `help:"A chart." type:"path"`
	Hold   string   `help:"A folder." placeholder:"DIR"`
	Sail   string   `help:"A sail." enum:"full,half," default:"" group:"Rigging"`
	Crew   []string `help:"Who." short:"c" placeholder:"NAME" complete:"services"`
	Pace   int      `help:"How fast." default:"3"`
	Calm   bool     `help:"No waves."`
	Secret string   `hidden:""`
	Name   string   `arg:"" help:"Which one." complete:"lisbon,oslo"`
	Orders []string `arg:"" optional:"" passthrough:"" help:"What then."`
}

func (port) Help() string { return "Two lines\nof one paragraph.\n\n  plimsoll sea port lisbon\n" }

func TestOf(t *testing.T) {
	var c struct {
		Quiet bool `help:"Say less."`
		Sea   struct {
			Depth string `help:"How deep." placeholder:"FATHOMS"`
			Port  port   `cmd:"" help:"Go to a port."`
		} `cmd:"" help:"At sea." group:"Waters"`
		Below struct{} `cmd:"" hidden:""`
	}
	parser, err := kong.New(&c, kong.Name("plimsoll"), kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	depth := Flag{Name: "depth", Help: "How deep.", Placeholder: "FATHOMS"}
	want := Command{
		Path: "plimsoll", Name: "plimsoll", Usage: "plimsoll <command> [flags]",
		Flags: []Flag{{Name: "quiet", Help: "Say less."}},
		Commands: []Command{{
			Path: "plimsoll sea", Name: "sea", Usage: "plimsoll sea <command> [flags]", Help: "At sea.", Group: "Waters", Flags: []Flag{depth},
			Commands: []Command{{
				Path: "plimsoll sea port", Name: "port", Usage: "plimsoll sea port <name> [<orders> ...] [flags]", Help: "Go to a port.",
				Detail: "Two lines\nof one paragraph.\n\n  plimsoll sea port lisbon\n",
				Flags: []Flag{
					depth,
					{Name: "chart", Help: "A chart.", Placeholder: "STRING", Values: Values{Kind: Files}},
					{Name: "hold", Help: "A folder.", Placeholder: "DIR", Values: Values{Kind: Directories}},
					{Name: "sail", Help: "A sail.", Group: "Rigging", Placeholder: "SAIL", Values: Values{Kind: Words, Words: []string{"full", "half"}}},
					{Name: "crew", Short: "c", Help: "Who.", Placeholder: "NAME,...", Repeated: true, Values: Values{Kind: Services}},
					{Name: "pace", Help: "How fast.", Placeholder: "3"},
					{Name: "calm", Help: "No waves."},
				},
				Args: []Arg{
					{Name: "name", Summary: "<name>", Help: "Which one.", Values: Values{Kind: Words, Words: []string{"lisbon", "oslo"}}},
					{Name: "orders", Summary: "[<orders> ...]", Help: "What then.", Repeated: true, Values: Values{Kind: AnyCommand}},
				},
			}},
		}},
	}
	if diff := cmp.Diff(want, Of(parser.Model.Node)); diff != "" {
		t.Error(diff)
	}
}

func TestBlocks(t *testing.T) {
	got := Blocks("One\nparagraph.\n\n  plimsoll a\n    b\nand another\n\n\n\tplimsoll c")
	want := []Block{
		{Text: "One paragraph."},
		{Text: "plimsoll a\n  b", Example: true},
		{Text: "and another"},
		{Text: "plimsoll c", Example: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
