package ecs

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// setting is one account setting that somebody has put.
type setting struct {
	Name      types.SettingName
	Value     string
	Principal string // ARN; the account's root for the default of all
}

func (s *setting) key() string { return s.Principal + " " + string(s.Name) }

// settingRule is what ECS has of one account setting.
type settingRule struct {
	usual  string   // AWS's default
	values []string // that can be put; nil for a setting that cannot
}

// settingRules are the account settings (developer guide, "Access Amazon ECS
// features with account settings"). drydock acts on containerInsights, for new
// clusters, and on fargateTaskRetirementWaitPeriod; the other settings change
// nothing that drydock has. The long ARN formats cannot be turned off, and
// guardDutyActivate is GuardDuty's.
func settingRules() map[types.SettingName]settingRule {
	onOff := []string{"on", "off"}
	enabling := []string{"enabled", "disabled"}
	return map[types.SettingName]settingRule{
		types.SettingNameServiceLongArnFormat:            {"enabled", []string{"enabled"}},
		types.SettingNameTaskLongArnFormat:               {"enabled", []string{"enabled"}},
		types.SettingNameContainerInstanceLongArnFormat:  {"enabled", []string{"enabled"}},
		types.SettingNameAwsvpcTrunking:                  {"disabled", enabling},
		types.SettingNameContainerInsights:               {"disabled", []string{"enabled", "disabled", "enhanced"}},
		types.SettingNameFargateFipsMode:                 {"disabled", enabling},
		types.SettingNameTagResourceAuthorization:        {"on", onOff},
		types.SettingNameFargateTaskRetirementWaitPeriod: {"7", []string{"0", "7", "14"}},
		types.SettingNameGuardDutyActivate:               {"off", nil},
		types.SettingNameDefaultLogDriverMode:            {"non-blocking", []string{"blocking", "non-blocking"}},
		types.SettingNameFargateEventWindows:             {"disabled", nil},
	}
}

func checkSetting(name types.SettingName, value string) error {
	rule := settingRules()[name]
	switch {
	case name == types.SettingNameFargateEventWindows:
		return wire.Errorf("InvalidParameterException", "The account setting %s is not supported by drydock.", name)
	case rule.values == nil:
		return wire.Errorf("InvalidParameterException", "The account setting %s is read-only.", name)
	case !slices.Contains(rule.values, value):
		return wire.Errorf("InvalidParameterException", "Invalid value %q for the account setting %s. Valid values: %s.", value, name, strings.Join(rule.values, ", "))
	}
	return nil
}

// principal is whose setting a request is about: the caller's, unless it names
// another user, role or the root of the account.
func (e *ECS) principal(arn *string) (string, error) {
	if arn == nil {
		return e.userARN(), nil
	}
	name, ours := strings.CutPrefix(*arn, "arn:aws:iam::"+e.Account+":")
	if !ours || name != "root" && !strings.HasPrefix(name, "user/") && !strings.HasPrefix(name, "role/") {
		return "", wire.Errorf("InvalidParameterException", "The principalArn %q is not a user, a role or the root user of this account.", *arn)
	}
	return *arn, nil
}

func (e *ECS) rootARN() string { return "arn:aws:iam::" + e.Account + ":root" }
func (e *ECS) userARN() string { return "arn:aws:iam::" + e.Account + ":user/drydock" }

func (e *ECS) put(name types.SettingName, value, principal string) (*types.Setting, error) {
	if err := checkSetting(name, value); err != nil {
		return nil, err
	}
	s := &setting{Name: name, Value: value, Principal: principal}
	return s.show(), e.change(func(time.Time) error {
		e.settings[s.key()] = s
		e.dirty.Put(bucketSettings, s.key(), s)
		return nil
	})
}

func (s *setting) show() *types.Setting {
	return &types.Setting{Name: s.Name, Value: aws.String(s.Value), PrincipalArn: aws.String(s.Principal), Type: s.kind()}
}

func (s *setting) kind() types.SettingType {
	if s.Name == types.SettingNameGuardDutyActivate {
		return types.SettingTypeAwsManaged
	}
	return types.SettingTypeUser
}

// putAccountSetting is for one principal, the caller unless it is named.
func (e *ECS) putAccountSetting(_ context.Context, in *ecs.PutAccountSettingInput) (*ecs.PutAccountSettingOutput, error) {
	principal, err := e.principal(in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	s, err := e.put(in.Name, *in.Value, principal)
	return &ecs.PutAccountSettingOutput{Setting: s}, err
}

// putAccountSettingDefault is for everybody who has put nothing.
func (e *ECS) putAccountSettingDefault(_ context.Context, in *ecs.PutAccountSettingDefaultInput) (*ecs.PutAccountSettingDefaultOutput, error) {
	s, err := e.put(in.Name, *in.Value, e.rootARN())
	return &ecs.PutAccountSettingDefaultOutput{Setting: s}, err
}

// deleteAccountSetting takes back what was put for one principal; what it
// answers with holds from then on.
func (e *ECS) deleteAccountSetting(_ context.Context, in *ecs.DeleteAccountSettingInput) (*ecs.DeleteAccountSettingOutput, error) {
	principal, err := e.principal(in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	if settingRules()[in.Name].values == nil {
		return nil, wire.Errorf("InvalidParameterException", "The account setting %s is read-only.", in.Name)
	}
	out := &ecs.DeleteAccountSettingOutput{}
	return out, e.change(func(time.Time) error {
		key := (&setting{Name: in.Name, Principal: principal}).key()
		if e.settings[key] != nil {
			delete(e.settings, key)
			e.dirty.Delete(bucketSettings, key)
		}
		out.Setting = e.effective(in.Name, principal).show()
		return nil
	})
}

// effective is a setting as it holds for a principal: its own, the account's
// default, or AWS's.
func (e *ECS) effective(name types.SettingName, principal string) *setting {
	for _, p := range []string{principal, e.rootARN()} {
		if s := e.settings[(&setting{Name: name, Principal: p}).key()]; s != nil {
			return &setting{Name: name, Value: s.Value, Principal: principal}
		}
	}
	return &setting{Name: name, Value: settingRules()[name].usual, Principal: principal}
}

// retirementWait is how long before its start a retirement is announced.
func (e *ECS) retirementWait() time.Duration {
	days, err := strconv.Atoi(e.effective(types.SettingNameFargateTaskRetirementWaitPeriod, e.userARN()).Value)
	if err != nil { // never: put checks it
		days = 7
	}
	return time.Duration(days) * 24 * time.Hour
}

func (e *ECS) listAccountSettings(_ context.Context, in *ecs.ListAccountSettingsInput) (*ecs.ListAccountSettingsOutput, error) {
	principal, err := e.principal(in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	if in.Value != nil && in.Name == "" {
		return nil, wire.Errorf("InvalidParameterException", "You must specify an account setting name to filter by value.")
	}
	if in.MaxResults < 0 || in.MaxResults > 10 {
		return nil, wire.Errorf("InvalidParameterException", "maxResults must be between 1 and 10.")
	}
	out := &ecs.ListAccountSettingsOutput{Settings: []types.Setting{}}
	return out, e.change(func(time.Time) error {
		byKey := map[string]*setting{}
		for key, s := range e.settings {
			if s.Principal == principal {
				byKey[key] = s
			}
		}
		if in.EffectiveSettings {
			for name := range settingRules() {
				s := e.effective(name, principal)
				byKey[s.key()] = s
			}
		}
		maps.DeleteFunc(byKey, func(_ string, s *setting) bool {
			return in.Name != "" && s.Name != in.Name || in.Value != nil && s.Value != *in.Value
		})
		var size *int32
		if in.MaxResults != 0 {
			size = &in.MaxResults
		}
		keys, next, err := page(slices.Sorted(maps.Keys(byKey)), size, in.NextToken, 10, strings.Compare)
		for _, key := range keys {
			out.Settings = append(out.Settings, *byKey[key].show())
		}
		out.NextToken = next
		return err
	})
}
