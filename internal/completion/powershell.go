package completion

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// powershell works in Windows PowerShell 5.1 and later. Where it offers
// nothing, PowerShell completes file names by itself.
func powershell(program grammar.Command) string {
	var s strings.Builder
	s.WriteString("# PowerShell completion for plimsoll, written by: plimsoll completion powershell\n\n")
	s.WriteString("Register-ArgumentCompleter -Native -CommandName 'plimsoll' -ScriptBlock {\n    param($wordToComplete, $commandAst, $cursorPosition)\n\n")
	s.WriteString("    # Of each command: its commands and flags, with what they are for.\n    $commands = @{\n")
	for _, c := range program.All() {
		if len(c.Commands) > 0 {
			fmt.Fprintf(&s, "        %s = [ordered]@{\n", powershellQuote(c.Path))
			for _, below := range c.Commands {
				fmt.Fprintf(&s, "            %s = %s\n", powershellQuote(below.Name), powershellQuote(below.Help))
			}
			s.WriteString("        }\n")
		}
	}
	s.WriteString("    }\n    $flags = @{\n")
	for _, c := range program.All() {
		if len(c.Flags) > 0 {
			powershellFlags(&s, c)
		}
	}
	s.WriteString("    }\n    # Flags that take a value, and what is known of it.\n    $values = @{\n")
	for _, c := range program.All() {
		powershellValues(&s, c)
	}
	s.WriteString("    }\n" + powershellWalk)
	return s.String()
}

func powershellFlags(s *strings.Builder, c grammar.Command) {
	fmt.Fprintf(s, "        %s = [ordered]@{\n", powershellQuote(c.Path))
	for _, f := range c.Flags {
		// A hash table of PowerShell does not tell -f from -F; nor do our flags.
		for _, name := range spellings(f) {
			fmt.Fprintf(s, "            %s = %s\n", powershellQuote(name), powershellQuote(f.Help))
		}
	}
	s.WriteString("        }\n")
}

func powershellValues(s *strings.Builder, c grammar.Command) {
	known := map[string]grammar.Values{}
	for _, p := range places(c, c.Flags) {
		known[p.at] = p.values
	}
	valued, _ := split(c.Flags)
	for i, arg := range c.Args {
		if arg.Values.Kind == grammar.Words {
			valued = append(valued, fmt.Sprint(i+1))
		}
	}
	for _, at := range valued {
		var words []string
		switch v := known[at]; v.Kind {
		case grammar.Words:
			words = v.Words
		case grammar.Services, grammar.Environments:
			words = []string{"<" + string(v.Kind) + ">"}
		}
		quoted := make([]string, len(words))
		for i, word := range words {
			quoted[i] = powershellQuote(word)
		}
		fmt.Fprintf(s, "        %s = @(%s)\n", powershellQuote(c.Path+" "+at), strings.Join(quoted, ", "))
	}
}

// powershellQuote puts a text into single quotes, which PowerShell also takes
// typographic ones for (about_Quoting_Rules).
func powershellQuote(s string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(s) + "'"
}

const powershellWalk = `
    # The command that the line is about, and the flag that waits for a value.
    $path = 'plimsoll'
    $pending = ''
    $argument = 1
    $given = @()
    $elements = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text.Trim([char]34, [char]39) })
    foreach ($word in $elements) {
        if ($pending) {
            if ($pending -in '--config', '--env') { $given += "$pending=$word" }
            $pending = ''
        } elseif ($word -eq '--') {
            return
        } elseif ($word -like '--config=*' -or $word -like '--env=*') {
            $given += $word
        } elseif ($word -like '-*') {
            if ($values.ContainsKey("$path $word") -or $values.ContainsKey("plimsoll $word")) { $pending = $word }
        } elseif ($commands.ContainsKey($path) -and $commands[$path].Contains($word)) {
            $path = "$path $word"
        } else {
            $argument++
        }
    }

    function Offer($text, $help, $kind) {
        if (-not $help) { $help = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, $kind, $help)
    }

    $prefix = ''
    $wanted = $wordToComplete
    if (-not $pending -and $wordToComplete -match '^(--[^=]+)=(.*)$') {
        $pending = $Matches[1]
        $prefix = "$pending="
        $wanted = $Matches[2]
    }
    if ($pending -or -not ($wanted -like '-*' -or $commands.ContainsKey($path))) {
        $at = if ($pending) { $pending } else { $argument }
        $words = $values["$path $at"]
        if ($null -eq $words) { $words = $values["plimsoll $at"] }
        if ($words -and $words[0] -in '<services>', '<environments>') {
            $words = & $commandAst.CommandElements[0].Extent.Text configured $words[0].Trim('<', '>') @given 2>$null
        }
        $words | Where-Object { $_ -like "$wanted*" } | ForEach-Object { Offer "$prefix$_" '' 'ParameterValue' }
    } elseif ($wanted -like '-*') {
        foreach ($owner in @($path, 'plimsoll') | Select-Object -Unique) {
            if (-not $flags.ContainsKey($owner)) { continue }
            $flags[$owner].GetEnumerator() | Where-Object { $_.Key -like "$wanted*" } | ForEach-Object { Offer $_.Key $_.Value 'ParameterName' }
        }
    } else {
        $commands[$path].GetEnumerator() | Where-Object { $_.Key -like "$wanted*" } | ForEach-Object { Offer $_.Key $_.Value 'Command' }
    }
}
`
