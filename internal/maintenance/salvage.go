package maintenance

import (
	"encoding/json"
	"strings"
)

// salvage picks retirements out of text that is almost JSON, and counts their
// events. It goes by the strings alone: one before a colon is a name, and what
// follows is its value. So braces that are missing or too many, as in AWS's own
// sample, make no difference. An event begins where a name comes again that
// each has once.
func salvage(data []byte) (notices []Notice, events int) {
	var e event
	once := map[string]bool{}
	end := func() {
		if e.Detail.EventTypeCode == retirementCode {
			notices, events = append(notices, e.notices()...), events+1
		}
		e = event{}
		clear(once)
	}
	var name string
	for _, s := range jsonStrings(data) {
		if s.isName {
			name = s.text
			continue
		}
		value := text(s.text)
		switch name {
		case "id", "detail-type", "account", "time", "region", "eventArn", "eventTypeCode", "eventRegion", "communicationId", "startTime":
			if once[name] {
				end()
			}
			once[name] = true
		}
		switch name {
		case "id":
			e.ID = value
		case "account":
			e.Account = value
		case "time":
			e.Time = parseInstant(s.text)
		case "region":
			e.Region = value
		case "resources":
			e.Resources = append(e.Resources, s.text)
		case "eventArn":
			e.Detail.EventARN = value
		case "eventTypeCode":
			e.Detail.EventTypeCode = value
		case "eventRegion":
			e.Detail.EventRegion = value
		case "communicationId":
			e.Detail.CommunicationID = value
		case "statusCode":
			e.Detail.StatusCode = value
		case "startTime":
			e.Detail.StartTime = parseInstant(s.text)
		case "lastUpdatedTime":
			if e.Detail.LastUpdatedTime == (instant{}) { // those of entities come later
				e.Detail.LastUpdatedTime = parseInstant(s.text)
			}
		case "affectedAccount":
			e.Detail.AffectedAccount = value
		case "entityValue":
			e.Detail.AffectedEntities = append(e.Detail.AffectedEntities, affected{EntityValue: value})
		case "status":
			if n := len(e.Detail.AffectedEntities); n > 0 {
				e.Detail.AffectedEntities[n-1].Status = value
			}
		}
	}
	end()
	return notices, events
}

// jsonString is a string in a text, and whether a colon follows it.
type jsonString struct {
	text   string
	isName bool
}

// jsonStrings are all strings in a text.
func jsonStrings(data []byte) []jsonString {
	var found []jsonString
	for rest := string(data); ; {
		start := strings.IndexByte(rest, '"')
		if start < 0 {
			return found
		}
		rest = rest[start:]
		end := 1
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(rest) {
			return found
		}
		var s string
		if json.Unmarshal([]byte(rest[:end+1]), &s) == nil {
			after := strings.TrimLeft(rest[end+1:], " \t\r\n")
			found = append(found, jsonString{s, strings.HasPrefix(after, ":")})
		}
		rest = rest[end+1:]
	}
}
