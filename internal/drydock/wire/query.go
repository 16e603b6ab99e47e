package wire

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// serveQuery answers one call of the Query protocol: an XML document that
// wraps the operation's result,
// <OpResponse xmlns><OpResult>…</OpResult><ResponseMetadata/></OpResponse>.
func (m *Mux) serveQuery(ctx context.Context, w http.ResponseWriter, requestID, scope string, signed bool, call Call) {
	w.Header().Set("Content-Type", "text/xml")
	doc, err := func() ([]byte, error) {
		if !signed {
			return nil, missingToken()
		}
		for _, s := range m.services {
			if s.Scope == "" || s.Scope != scope {
				continue
			}
			op, ok := s.Operations[call.Operation]
			if !ok {
				return nil, Errorf("InvalidAction", "Could not find operation %s for version %s", call.Operation, s.Version)
			}
			out, err := op(ctx, call)
			if err != nil {
				return nil, err
			}
			return queryResponse(s, call.Operation, requestID, out)
		}
		return nil, Errorf("InvalidAction", "drydock has no service %q (operation %s)", scope, call.Operation)
	}()
	if err != nil {
		e := m.asError(call, err)
		w.WriteHeader(e.status())
		_ = xml.NewEncoder(w).Encode(queryErrorOf(e, requestID))
		return
	}
	m.log.Debug("call", "operation", call.Operation)
	_, _ = w.Write(doc) // the client hung up: nobody is left to tell
}

type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// queryErrorOf says whose fault it is, as AWS does: the sender's below 500.
func queryErrorOf(e *Error, requestID string) queryError {
	fault := "Sender"
	if e.status() >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	return queryError{Type: fault, Code: e.Code, Message: e.Message, RequestID: requestID}
}

func queryResponse(s Service, operation, requestID string, out any) ([]byte, error) {
	var b bytes.Buffer
	q := queryEncoder{xml.NewEncoder(&b)}
	response := xml.StartElement{
		Name: xml.Name{Local: operation + "Response"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: fmt.Sprintf("https://%s.amazonaws.com/doc/%s/", s.Scope, s.Version)}},
	}
	err := q.element(response, func() error {
		if err := q.encode(operation+"Result", reflect.ValueOf(out)); err != nil {
			return err
		}
		return q.element(start("ResponseMetadata"), func() error {
			return q.encode("RequestId", reflect.ValueOf(requestID))
		})
	})
	if err != nil {
		return nil, fmt.Errorf("wire: %s: %w", operation, err)
	}
	if err := q.Close(); err != nil {
		return nil, fmt.Errorf("wire: %s: %w", operation, err)
	}
	return b.Bytes(), nil
}

// queryEncoder writes the SDK's structs as Query results: a member is named
// exactly as the Go field, a list holds <member> elements, a map <entry> elements, a time is ISO 8601.
type queryEncoder struct{ *xml.Encoder }

func start(name string) xml.StartElement { return xml.StartElement{Name: xml.Name{Local: name}} }

func (q queryEncoder) element(s xml.StartElement, content func() error) error {
	if err := q.EncodeToken(s); err != nil {
		return err
	}
	if err := content(); err != nil {
		return err
	}
	return q.EncodeToken(s.End())
}

// encodeMap writes a map from strings, in the order of its keys.
func (q queryEncoder) encodeMap(name string, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return q.element(start(name), func() error {
		for _, key := range keys {
			err := q.element(start("entry"), func() error {
				if err := q.encode("key", key); err != nil {
					return err
				}
				return q.encode("value", v.MapIndex(key))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (q queryEncoder) encode(name string, v reflect.Value) error {
	if !v.IsValid() {
		return q.element(start(name), func() error { return nil })
	}
	if t, isTime := v.Interface().(time.Time); isTime {
		return q.EncodeElement(t.UTC().Format("2006-01-02T15:04:05Z"), start(name))
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return q.encode(name, v.Elem())
	case reflect.Struct:
		return q.element(start(name), func() error {
			for i := range v.NumField() {
				f := v.Type().Field(i)
				if !isMember(f) || isAbsent(v.Field(i)) {
					continue
				}
				if err := q.encode(f.Name, v.Field(i)); err != nil {
					return err
				}
			}
			return nil
		})
	case reflect.Slice:
		return q.element(start(name), func() error {
			for i := range v.Len() {
				if err := q.encode("member", v.Index(i)); err != nil {
					return err
				}
			}
			return nil
		})
	case reflect.Map:
		return q.encodeMap(name, v)
	case reflect.String:
		return q.EncodeElement(v.String(), start(name))
	case reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return q.EncodeElement(v.Interface(), start(name))
	}
	return fmt.Errorf("%s: cannot write a %s in a Query result", name, v.Type())
}
