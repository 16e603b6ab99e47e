package ecs

import (
	"cmp"
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

// defaultRetirementWait is fargateTaskRetirementWaitPeriod, in days, of an
// account that has not put it (API reference, PutAccountSetting).
const defaultRetirementWait = "7"

// checkSetting lets through what drydock acts on. The other settings are
// refused rather than kept without effect.
func checkSetting(name types.SettingName, value *string) error {
	switch {
	case name == "":
		return wire.Errorf("InvalidParameterException", "The setting name can not be blank.")
	case !slices.Contains(name.Values(), name):
		return wire.Errorf("InvalidParameterException", "Invalid setting name: %s.", name)
	case name != types.SettingNameFargateTaskRetirementWaitPeriod:
		return wire.Errorf("InvalidParameterException", "The account setting %s is not supported by drydock.", name)
	case !slices.Contains([]string{"0", "7", "14"}, aws.ToString(value)):
		return wire.Errorf("InvalidParameterException", "The value of %s must be 0, 7 or 14.", name)
	}
	return nil
}

func (e *ECS) rootARN() string { return "arn:aws:iam::" + e.Account + ":root" }
func (e *ECS) userARN() string { return "arn:aws:iam::" + e.Account + ":user/drydock" }

func (e *ECS) put(name types.SettingName, value *string, principal string) (*types.Setting, error) {
	if err := checkSetting(name, value); err != nil {
		return nil, err
	}
	s := &setting{Name: name, Value: *value, Principal: principal}
	return s.show(), e.change(func(time.Time) error {
		e.settings[s.key()] = s
		e.dirty[entry{bucketSettings, s.key()}] = s
		return nil
	})
}

func (s *setting) show() *types.Setting {
	return &types.Setting{Name: s.Name, Value: aws.String(s.Value), PrincipalArn: aws.String(s.Principal), Type: types.SettingTypeUser}
}

// putAccountSetting is for one principal, the caller unless it is named.
func (e *ECS) putAccountSetting(_ context.Context, in *ecs.PutAccountSettingInput) (*ecs.PutAccountSettingOutput, error) {
	s, err := e.put(in.Name, in.Value, cmp.Or(aws.ToString(in.PrincipalArn), e.userARN()))
	return &ecs.PutAccountSettingOutput{Setting: s}, err
}

// putAccountSettingDefault is for everybody who has put nothing.
func (e *ECS) putAccountSettingDefault(_ context.Context, in *ecs.PutAccountSettingDefaultInput) (*ecs.PutAccountSettingDefaultOutput, error) {
	s, err := e.put(in.Name, in.Value, e.rootARN())
	return &ecs.PutAccountSettingDefaultOutput{Setting: s}, err
}

// effective is a setting as it holds for a principal: its own, the account's
// default, or AWS's.
func (e *ECS) effective(name types.SettingName, principal string) *setting {
	for _, p := range []string{principal, e.rootARN()} {
		if s := e.settings[(&setting{Name: name, Principal: p}).key()]; s != nil {
			return &setting{Name: name, Value: s.Value, Principal: principal}
		}
	}
	return &setting{Name: name, Value: defaultRetirementWait, Principal: principal}
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
	principal := cmp.Or(aws.ToString(in.PrincipalArn), e.userARN())
	out := &ecs.ListAccountSettingsOutput{Settings: []types.Setting{}}
	return out, e.change(func(time.Time) error {
		byKey := map[string]*setting{}
		for key, s := range e.settings {
			if s.Principal == principal {
				byKey[key] = s
			}
		}
		if in.EffectiveSettings {
			s := e.effective(types.SettingNameFargateTaskRetirementWaitPeriod, principal)
			byKey[s.key()] = s
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
