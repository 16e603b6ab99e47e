// Package iam is who may do what in drydock: IAM's roles, users and policies,
// STS's sessions, and the judgement whether a caller is allowed an action.
//
// [IAM.Service] and [IAM.STS] are the two APIs. Package drydock asks
// [IAM.Authenticate] whose request it has and [IAM.Authorize] whether that is
// allowed; ECS asks [IAM.Allowed] what the execution role of a task may do.
//
// Credentials that were not given out here, drydock's own among them, are the
// account's administrator's: rehearsing needs no identities. Those that were
// are held to their policies, as AWS holds them.
package iam

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Options are the surroundings of an [IAM].
type Options struct {
	Account string // 12 digits
	Clock   *clock.Clock
	Store   *store.Store
	Seed    uint64 // of the ids and keys that are made up
}

// IAM is the identities of one account. It is safe for concurrent use; every
// change is in the store before the call that made it returns.
type IAM struct {
	account string
	clock   *clock.Clock

	mu        sync.Mutex
	rand      *rand.Rand
	roles     table[role]          // by name
	users     table[user]          // by name
	policies  table[managedPolicy] // the account's own, by ARN
	keys      table[accessKey]     // by id
	providers table[provider]      // by ARN
	sessions  table[session]       // by access key
	issuers   table[issuer]        // key sets, by URL of the issuer

	aws    map[string]managedPolicy   // AWS's own managed policies, by ARN
	parsed map[string]policy.Document // documents that were read before, by their text
}

// Buckets of the store.
const (
	bucketRoles     = "iam-roles"
	bucketUsers     = "iam-users"
	bucketPolicies  = "iam-policies"
	bucketKeys      = "iam-access-keys"
	bucketProviders = "iam-oidc-providers"
	bucketSessions  = "sts-sessions"
	bucketIssuers   = "sts-issuers"
)

// New loads what the store holds.
func New(o Options) (*IAM, error) {
	i := &IAM{account: o.Account, clock: o.Clock, rand: rand.New(rand.NewPCG(o.Seed, o.Seed)), parsed: map[string]policy.Document{}}
	for _, load := range []func() error{
		func() error { return i.roles.load(o.Store, bucketRoles) },
		func() error { return i.users.load(o.Store, bucketUsers) },
		func() error { return i.policies.load(o.Store, bucketPolicies) },
		func() error { return i.keys.load(o.Store, bucketKeys) },
		func() error { return i.providers.load(o.Store, bucketProviders) },
		func() error { return i.sessions.load(o.Store, bucketSessions) },
		func() error { return i.issuers.load(o.Store, bucketIssuers) },
	} {
		if err := load(); err != nil {
			return nil, fmt.Errorf("load IAM state: %w", err)
		}
	}
	var err error
	if i.aws, err = awsPolicies(); err != nil {
		return nil, fmt.Errorf("read AWS's managed policies: %w", err)
	}
	return i, nil
}

// Service is the IAM API. It is a global service; its region is us-east-1 to
// the SDKs, and any region here.
func (i *IAM) Service() wire.Service {
	return wire.Service{
		Name: "IAM", Scope: "iam", Version: "2010-05-08",
		Operations: map[string]wire.Operation{
			"CreateRole":                  call(i, i.createRole),
			"GetRole":                     call(i, i.getRole),
			"ListRoles":                   call(i, i.listRoles),
			"UpdateRole":                  call(i, i.updateRole),
			"UpdateRoleDescription":       call(i, i.updateRoleDescription),
			"UpdateAssumeRolePolicy":      call(i, i.updateAssumeRolePolicy),
			"DeleteRole":                  call(i, i.deleteRole),
			"CreateServiceLinkedRole":     call(i, i.createServiceLinkedRole),
			"TagRole":                     call(i, i.tagRole),
			"UntagRole":                   call(i, i.untagRole),
			"ListRoleTags":                call(i, i.listRoleTags),
			"ListInstanceProfilesForRole": call(i, i.listInstanceProfilesForRole),

			"PutRolePolicy":            call(i, i.putRolePolicy),
			"GetRolePolicy":            call(i, i.getRolePolicy),
			"DeleteRolePolicy":         call(i, i.deleteRolePolicy),
			"ListRolePolicies":         call(i, i.listRolePolicies),
			"AttachRolePolicy":         call(i, i.attachRolePolicy),
			"DetachRolePolicy":         call(i, i.detachRolePolicy),
			"ListAttachedRolePolicies": call(i, i.listAttachedRolePolicies),

			"CreateUser":               call(i, i.createUser),
			"GetUser":                  i.getUser,
			"ListUsers":                call(i, i.listUsers),
			"DeleteUser":               call(i, i.deleteUser),
			"PutUserPolicy":            call(i, i.putUserPolicy),
			"GetUserPolicy":            call(i, i.getUserPolicy),
			"DeleteUserPolicy":         call(i, i.deleteUserPolicy),
			"ListUserPolicies":         call(i, i.listUserPolicies),
			"AttachUserPolicy":         call(i, i.attachUserPolicy),
			"DetachUserPolicy":         call(i, i.detachUserPolicy),
			"ListAttachedUserPolicies": call(i, i.listAttachedUserPolicies),
			"ListGroupsForUser":        call(i, i.listGroupsForUser),
			"CreateAccessKey":          call(i, i.createAccessKey),
			"ListAccessKeys":           call(i, i.listAccessKeys),
			"UpdateAccessKey":          call(i, i.updateAccessKey),
			"DeleteAccessKey":          call(i, i.deleteAccessKey),

			"CreatePolicy":            call(i, i.createPolicy),
			"GetPolicy":               call(i, i.getPolicy),
			"ListPolicies":            call(i, i.listPolicies),
			"DeletePolicy":            call(i, i.deletePolicy),
			"CreatePolicyVersion":     call(i, i.createPolicyVersion),
			"GetPolicyVersion":        call(i, i.getPolicyVersion),
			"ListPolicyVersions":      call(i, i.listPolicyVersions),
			"SetDefaultPolicyVersion": call(i, i.setDefaultPolicyVersion),
			"DeletePolicyVersion":     call(i, i.deletePolicyVersion),
			"ListPolicyTags":          call(i, i.listPolicyTags),
			"TagPolicy":               call(i, i.tagPolicy),
			"UntagPolicy":             call(i, i.untagPolicy),
			"ListEntitiesForPolicy":   call(i, i.listEntitiesForPolicy),
			"SimulatePrincipalPolicy": call(i, i.simulatePrincipalPolicy),

			"CreateOpenIDConnectProvider": call(i, i.createOpenIDConnectProvider),
			"GetOpenIDConnectProvider":    call(i, i.getOpenIDConnectProvider),
			"ListOpenIDConnectProviders":  call(i, i.listOpenIDConnectProviders),
			"DeleteOpenIDConnectProvider": call(i, i.deleteOpenIDConnectProvider),
		},
	}
}

// STS is the Security Token Service.
func (i *IAM) STS() wire.Service {
	return wire.Service{
		Name: "STS", Scope: "sts", Version: "2011-06-15",
		Operations: map[string]wire.Operation{
			"GetCallerIdentity":         i.getCallerIdentity,
			"AssumeRole":                wire.TypedQuery(i.assumeRole),
			"AssumeRoleWithWebIdentity": call(i, i.assumeRoleWithWebIdentity),
		},
		Unsigned: []string{"AssumeRoleWithWebIdentity"},
	}
}

// call runs an operation with the state to itself.
func call[In, Out any](i *IAM, f func(*In) (*Out, error)) wire.Operation {
	return wire.TypedQuery(func(_ context.Context, in *In) (*Out, error) {
		i.mu.Lock()
		defer i.mu.Unlock()
		return f(in)
	})
}

// letters are those of IAM's ids and keys.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

func (i *IAM) text(n int, from string) string {
	b := make([]byte, n)
	for k := range b {
		b[k] = from[i.rand.IntN(len(from))]
	}
	return string(b)
}

// id makes a unique id: four letters that tell the kind and 17 more.
func (i *IAM) id(kind string) string { return kind + i.text(17, letters) }

// issued begins, behind AKIA or ASIA, every key that a drydock gives out: one
// that is not known any more is refused, not taken for the administrator's.
const issued = "DRYDOCK"

func (i *IAM) keyID(kind string) string { return kind + issued + i.text(9, letters) }

func (i *IAM) secret() string {
	return i.text(40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}

func (i *IAM) now() time.Time { return i.clock.Now().UTC().Truncate(time.Second) }
