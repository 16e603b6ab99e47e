package console

import "encoding/json"

// pageDoc is one page of a list: what it holds, and the token of the next.
type pageDoc struct {
	into      any
	NextToken string
}

// UnmarshalJSON reads a page into what it is for.
func (p *pageDoc) UnmarshalJSON(doc []byte) error {
	var token struct{ NextToken string }
	if err := json.Unmarshal(doc, &token); err != nil {
		return err
	}
	p.NextToken = token.NextToken
	return json.Unmarshal(doc, p.into)
}
