package ssm

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
)

// Every member is one of the SDK's: named as there and of the same kind, all
// the way down.
func TestShapes(t *testing.T) {
	for _, pair := range [][2]reflect.Type{
		shapes[addTagsToResourceInput, ssm.AddTagsToResourceInput](),
		shapes[addTagsToResourceOutput, ssm.AddTagsToResourceOutput](),
		shapes[deleteParameterInput, ssm.DeleteParameterInput](),
		shapes[deleteParameterOutput, ssm.DeleteParameterOutput](),
		shapes[deleteParametersInput, ssm.DeleteParametersInput](),
		shapes[deleteParametersOutput, ssm.DeleteParametersOutput](),
		shapes[describeParametersInput, ssm.DescribeParametersInput](),
		shapes[describeParametersOutput, ssm.DescribeParametersOutput](),
		shapes[getParameterInput, ssm.GetParameterInput](),
		shapes[getParameterOutput, ssm.GetParameterOutput](),
		shapes[getParameterHistoryInput, ssm.GetParameterHistoryInput](),
		shapes[getParameterHistoryOutput, ssm.GetParameterHistoryOutput](),
		shapes[getParametersInput, ssm.GetParametersInput](),
		shapes[getParametersOutput, ssm.GetParametersOutput](),
		shapes[getParametersByPathInput, ssm.GetParametersByPathInput](),
		shapes[getParametersByPathOutput, ssm.GetParametersByPathOutput](),
		shapes[labelParameterVersionInput, ssm.LabelParameterVersionInput](),
		shapes[labelParameterVersionOutput, ssm.LabelParameterVersionOutput](),
		shapes[listTagsForResourceInput, ssm.ListTagsForResourceInput](),
		shapes[listTagsForResourceOutput, ssm.ListTagsForResourceOutput](),
		shapes[putParameterInput, ssm.PutParameterInput](),
		shapes[putParameterOutput, ssm.PutParameterOutput](),
		shapes[removeTagsFromResourceInput, ssm.RemoveTagsFromResourceInput](),
		shapes[removeTagsFromResourceOutput, ssm.RemoveTagsFromResourceOutput](),
		shapes[unlabelParameterVersionInput, ssm.UnlabelParameterVersionInput](),
		shapes[unlabelParameterVersionOutput, ssm.UnlabelParameterVersionOutput](),
	} {
		if err := sameShape(pair[0], pair[1]); err != nil {
			t.Errorf("%s: %v", pair[0], err)
		}
	}
}

func shapes[Own, SDK any]() [2]reflect.Type {
	return [2]reflect.Type{reflect.TypeFor[Own](), reflect.TypeFor[SDK]()}
}

func sameShape(own, sdk reflect.Type) error {
	if own.Kind() != sdk.Kind() {
		return fmt.Errorf("is a %s, the SDK's a %s", own.Kind(), sdk.Kind())
	}
	switch own.Kind() {
	case reflect.Pointer, reflect.Slice:
		return sameShape(own.Elem(), sdk.Elem())
	case reflect.Struct:
		if own == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range own.NumField() {
			f := own.Field(i)
			of, ok := sdk.FieldByName(f.Name)
			if !ok {
				return fmt.Errorf("the SDK has no %s", f.Name)
			}
			if err := sameShape(f.Type, of.Type); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	return nil
}

func TestEnumerations(t *testing.T) {
	for _, diff := range []string{
		cmp.Diff(fmt.Sprint(types.ParameterType("").Values()), fmt.Sprint(parameterType("").values())),
		cmp.Diff(fmt.Sprint(types.ParameterTier("").Values()), fmt.Sprint(parameterTier("").values())),
		cmp.Diff(fmt.Sprint(types.ResourceTypeForTagging("").Values()), fmt.Sprint(resourceType("").values())),
	} {
		if diff != "" {
			t.Error(diff)
		}
	}
}
