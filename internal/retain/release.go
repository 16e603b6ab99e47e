package retain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// stale is a pin that nobody wants.
type stale struct{ digest, tag string }

// pins are those of a stem on images that are not wanted.
func pins(stock audit.Repository, stem string, wants []want) []stale {
	var list []stale
	for _, i := range stock.Images {
		if slices.ContainsFunc(wants, func(w want) bool { return w.ref.Digest == i.Digest }) {
			continue
		}
		for _, tag := range i.Tags {
			if isPin(stem, tag) {
				list = append(list, stale{i.Digest, tag})
			}
		}
	}
	return list
}

// release takes away the pins of images that are out of use. Where it is not
// sure what is in use nothing is released. A deploy may have come meanwhile, so
// the service is read again first.
func (k *keeper) release(ctx context.Context, b *berth, r *repository, stock audit.Repository, keep int) ([]Released, error) {
	if len(pins(stock, r.stem, r.wants)) == 0 {
		return nil, nil
	}
	if !b.past {
		return nil, fmt.Errorf("the rollouts of the service cannot be read, so it is not known where a rollback could go")
	}
	again, err := berthOf(ctx, k.Ports, k.target, keep)
	if err != nil {
		return nil, err
	}
	now := again.repository(r.ref)
	if !again.past || !r.sure || !now.sure {
		return nil, fmt.Errorf("it is not known what the service runs")
	}
	var list []Released
	for _, s := range pins(stock, r.stem, slices.Concat(r.wants, now.wants)) {
		one, err := k.drop(ctx, r.ref, s)
		if err != nil {
			return list, err
		}
		list = append(list, one)
	}
	return list, nil
}

// drop takes one pin away, if that leaves the image a tag of its own. Other
// pins do not count: their owners may be dropping them at this moment, each
// leaving the last tag to the other.
func (k *keeper) drop(ctx context.Context, repository image.Reference, s stale) (Released, error) {
	ref := repository.WithTag(s.tag).WithDigest(s.digest)
	out := Released{Repository: repository.Name(), Digest: s.digest, Pin: s.tag, DryRun: k.dry}
	now, err := k.AWS.Look(ctx, ref)
	switch {
	case err != nil:
		return out, err
	case !slices.ContainsFunc(now.Tags, func(tag string) bool { return !strings.HasPrefix(tag, Prefix) }):
		out.Left = "it has no other tag but pins, and with the last tag ECR would delete the image"
		return out, nil
	case k.dry || !slices.Contains(now.Tags, s.tag):
		return out, nil
	}
	return out, k.AWS.DropTag(context.WithoutCancel(ctx), ref)
}

// UnpinRequest says whose pins are taken away.
type UnpinRequest struct {
	deploy.Target
	// Repositories are looked into besides those of the service's releases; a
	// service that is gone has no others.
	Repositories []image.Reference
	Caller       audit.Place // where a service that is gone was
	DryRun       bool
}

// Unpin takes the pins of a service away, and nothing else: what only a pin
// holds stays. A service that is not there and has no repositories named comes
// back as [*deploy.PreflightError].
func Unpin(ctx context.Context, p Ports, r UnpinRequest, tell story.Teller) (Result, error) {
	k := &keeper{Ports: p, target: r.Target, dry: r.DryRun, tell: tell}
	b, err := berthOf(ctx, p, r.Target, 0)
	if err != nil {
		if len(r.Repositories) == 0 || !errors.As(err, new(*deploy.PreflightError)) {
			return Result{}, err
		}
		b = &berth{Service: audit.Service{Place: r.Caller, Cluster: r.Cluster, Name: r.Service}}
	}
	for _, ref := range r.Repositories {
		b.repository(ref)
	}
	result := Result{Cluster: r.Cluster, Service: r.Service}
	for _, repo := range b.repositories {
		stock, err := p.AWS.Stock(ctx, repo.ref)
		if err != nil {
			k.say(story.Warning, "%s cannot be looked through for pins: %v", repo.ref, err)
			continue
		}
		for _, s := range pins(stock, repo.stem, nil) {
			one, err := k.drop(ctx, repo.ref, s)
			if err != nil {
				return result, err
			}
			result.Released = append(result.Released, one)
		}
	}
	return result, ctx.Err()
}
