package ecs

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// BenchmarkAdvance jumps 14 days with 1,000 steady services: 56 steady-state
// events each.
func BenchmarkAdvance(b *testing.B) {
	for _, kind := range []string{"memory", "disk"} {
		b.Run(kind, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				st := store.Memory()
				if kind == "disk" {
					var err error
					if st, err = store.Open(b.TempDir()); err != nil {
						b.Fatal(err)
					}
				}
				w := newWorld(b, st)
				arn := w.register("v1")
				for i := range 1000 {
					do[ecs.CreateServiceOutput](w, "CreateService", &ecs.CreateServiceInput{
						Cluster: aws.String("prod"), ServiceName: aws.String(fmt.Sprintf("s%d", i)), TaskDefinition: &arn, DesiredCount: aws.Int32(1),
						LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network(),
					})
				}
				w.clock.Advance(3 * time.Minute)
				b.StartTimer()
				if err := w.Batch(func() { w.clock.Advance(14 * 24 * time.Hour) }); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := st.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
