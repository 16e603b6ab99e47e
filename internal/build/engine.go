package build

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// engine is an image that a docker engine holds.
type engine struct {
	docker *docker
	id     string
	login  *Login
	log    *slog.Logger
}

func openEngine(ctx context.Context, opts PushOptions, r registry) (source, error) {
	d, err := newDocker(opts.Env, opts.Login)
	if err != nil {
		return nil, err
	}
	var lines []string
	exit, err := d.run(ctx, func(line string) { lines = last(lines, line) },
		"image", "inspect", "--format", "{{.Id}}", r.ref.String())
	if err == nil && exit != 0 {
		err = d.failure(lines, &ImageMissingError{Ref: r.ref.String()})
	}
	if err == nil && len(lines) == 0 {
		err = errors.New("docker image inspect printed nothing")
	}
	if err != nil {
		d.close()
		return nil, err
	}
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return engine{d, lines[len(lines)-1], opts.Login, log}, nil
}

func (e engine) identity() identity { return identity{config: e.id} }

func (e engine) close() { e.docker.close() }

// push asks the engine's API, which tells how many bytes have gone. Where
// there is no way to it the docker command pushes; without a terminal it tells
// of layers, not of bytes.
func (e engine) push(ctx context.Context, r registry, n news) (receipt, error) {
	dial, client := newDialer(ctx, e.docker)
	defer dial.close()
	api := engineAPI{client}
	if why := e.unfit(ctx, api); why != nil {
		dial.close()
		e.log.Debug("docker push, as the engine's API cannot be asked", "why", why, "docker", strings.Join(dial.words(), "; "))
		return e.command(ctx, r, n)
	}
	up := newUpload(api.sizes(ctx, r.ref))
	err := api.push(ctx, r.ref, *e.login, func(m message) error { return up.message(m, n) })
	refused, ok := errors.AsType[*refusedError](err)
	switch {
	case ok && up.partial:
		return receipt{}, &ContentMissingError{Ref: r.ref.String()}
	case ok:
		up.lines = append(up.lines, refused.message)
		return receipt{}, e.docker.failure(up.lines, up.failure(r))
	case err != nil:
		dial.close() // it may have words on its lips
		return receipt{}, e.docker.failure(dial.words(), err)
	}
	return up.receipt(), nil
}

// unfit is why the API is not for this push; nil when it is.
func (e engine) unfit(ctx context.Context, api engineAPI) error {
	trust, _ := strconv.ParseBool(lookup(e.docker.env, "DOCKER_CONTENT_TRUST"))
	switch {
	case e.login == nil:
		return errors.New("the login is the docker command's own")
	case trust:
		return errors.New("DOCKER_CONTENT_TRUST is set, and it is the docker command that signs")
	}
	return api.ping(ctx)
}

// command lets the docker command push.
func (e engine) command(ctx context.Context, r registry, n news) (receipt, error) {
	up := newUpload(nil)
	exit, err := e.docker.run(ctx, func(line string) { up.read(line, n) }, "push", r.ref.String())
	if err != nil {
		return receipt{}, err
	}
	if exit != 0 {
		return receipt{}, e.docker.failure(up.lines, up.failure(r))
	}
	return up.receipt(), nil
}

// engineAPI is as much of docker's API as a push needs: no version in the path
// is the newest that the engine has, and nothing of this has changed for many.
// (https://docs.docker.com/reference/api/engine/)
type engineAPI struct{ client *http.Client }

// refusedError is the engine's own word for what went wrong.
type refusedError struct{ message string }

func (e *refusedError) Error() string { return e.message }

// ping says whether an engine answers.
func (a engineAPI) ping(ctx context.Context) error {
	const soon = 30 * time.Second // ssh takes its time
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	resp, err := a.ask(ctx, http.MethodGet, "/_ping", nil, nil)
	if err != nil {
		return err
	}
	return discard(resp)
}

// sizes are those of an image's layers by docker's short names; nil where that
// cannot be told. The classic image store names layers by the digests of their
// uncompressed content, and has a size for each entry of the history that made
// one.
func (a engineAPI) sizes(ctx context.Context, ref image.Reference) map[string]int64 {
	var config struct {
		RootFS struct{ Layers []string }
	}
	var history []struct{ Size int64 }
	if a.read(ctx, "/images/"+ref.String()+"/json", &config) != nil || a.read(ctx, "/images/"+ref.String()+"/history", &history) != nil {
		return nil
	}
	var bytes []int64 // of the layers, the first one first
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Size > 0 {
			bytes = append(bytes, history[i].Size)
		}
	}
	if len(bytes) != len(config.RootFS.Layers) { // some are empty: there is no telling which
		return nil
	}
	sizes := map[string]int64{}
	for i, digest := range config.RootFS.Layers {
		_, id, _ := strings.Cut(digest, ":")
		sizes[id[:min(len(id), shortName)]] = bytes[i]
	}
	return sizes
}

// push has the engine push an image and hands over what it tells.
func (a engineAPI) push(ctx context.Context, ref image.Reference, login Login, tell func(message) error) error {
	auth, err := json.Marshal(map[string]string{"username": login.User, "password": login.Password, "serveraddress": login.Registry})
	if err != nil {
		return err
	}
	header := http.Header{"X-Registry-Auth": {base64.URLEncoding.EncodeToString(auth)}}
	resp, err := a.ask(ctx, http.MethodPost, "/images/"+ref.Name()+"/push", url.Values{"tag": {ref.Tag}}, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for messages := json.NewDecoder(resp.Body); ; {
		var m message
		err := messages.Decode(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading what the docker engine says: %w", err)
		}
		if err := tell(m); err != nil {
			return err
		}
	}
}

// read asks for a document.
func (a engineAPI) read(ctx context.Context, path string, into any) error {
	resp, err := a.ask(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	return errors.Join(json.NewDecoder(resp.Body).Decode(into), discard(resp))
}

// ask sends a request without a body; the answer is a success. Its body must
// be closed.
func (a engineAPI) ask(ctx context.Context, method, path string, query url.Values, header http.Header) (*http.Response, error) {
	// The host is what docker itself puts there for an engine behind a socket.
	to := url.URL{Scheme: "http", Host: "api.moby.localhost", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the docker engine: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	const enough = 64 << 10
	said, _ := io.ReadAll(io.LimitReader(resp.Body, enough))
	var refusal struct{ Message string }
	if json.Unmarshal(said, &refusal) != nil || refusal.Message == "" {
		refusal.Message = fmt.Sprintf("the docker engine answers %s %s with %s", method, path, resp.Status)
	}
	return nil, &refusedError{refusal.Message}
}

// discard reads an answer to its end, so that the connection serves again.
func discard(resp *http.Response) error {
	defer resp.Body.Close()
	_, err := io.Copy(io.Discard, resp.Body)
	return err
}

// message is one of those in which the engine tells of a push. (Docker Engine
// API, api/types/jsonstream and api/types/auxprogress.)
type message struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
	Aux json.RawMessage `json:"aux"` // an [aside]
}

// aside is what a message has for programs.
type aside struct {
	Digest string // of the manifest that was pushed

	// Of an index that the engine does not hold all of, it pushes the one
	// image that it does hold, or nothing.
	Instead        bool `json:"manifestPushedInsteadOfIndex"`
	ContentMissing bool `json:"contentMissing"`
}

// message takes one message and tells what is new in it. Its error is that of
// the push.
func (u *upload) message(m message, n news) error {
	switch {
	case m.Error.Message != "":
		return &refusedError{m.Error.Message}
	case len(m.Aux) > 0:
		u.aside(m.Aux, n)
	case m.ID == "":
		u.result(m.Status)
	default:
		u.take(m.ID, m.Status, max(m.Progress.Current, 0), max(m.Progress.Total, 0), n)
	}
	return nil
}

func (u *upload) aside(document json.RawMessage, n news) {
	var a aside
	if json.Unmarshal(document, &a) != nil {
		return // for other programs
	}
	switch {
	case a.Digest != "":
		u.digest = a.Digest
	case a.ContentMissing:
		u.partial = true
	case a.Instead:
		n.tell(story.Event{Kind: story.Warning, Message: "docker holds only one of the images of the index, and pushes that alone"})
	}
}
