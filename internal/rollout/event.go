package rollout

import "strings"

// ShortEvent takes off a service event what its reader knows, or cannot use: the
// service's name in front, and all but the first eight digits of a task's id.
func ShortEvent(message string) string {
	if rest, ok := strings.CutPrefix(message, "(service "); ok {
		if _, text, ok := strings.Cut(rest, ") "); ok {
			message = text
		}
	}
	words := strings.Fields(message)
	for i, word := range words {
		if id := strings.TrimRight(word, ")."); i > 0 && words[i-1] == "(task" && len(id) > 8 {
			words[i] = id[:8] + word[len(id):]
		}
	}
	return strings.Join(words, " ")
}
