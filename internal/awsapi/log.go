package awsapi

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// sdkLog takes the SDK's own remarks, which would otherwise go to stderr, into
// the middle of the story.
type sdkLog struct{ log *slog.Logger }

// Logf implements logging.Logger.
func (l sdkLog) Logf(class logging.Classification, format string, args ...any) {
	level := slog.LevelDebug
	if class == logging.Warn {
		level = slog.LevelWarn
	}
	l.log.Log(context.Background(), level, fmt.Sprintf(format, args...), "from", "aws sdk")
}

// logCalls has every call leave one line: what was called, how long it took
// with all its attempts, and why it took more than one. Requests and answers
// are not logged: they carry environment variables and tokens.
func logCalls(log *slog.Logger) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("PlimsollLog",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				began := time.Now()
				out, meta, err := next.HandleInitialize(ctx, in)
				attributes := []slog.Attr{
					slog.String("service", awsmiddleware.GetServiceID(ctx)),
					slog.String("operation", awsmiddleware.GetOperationName(ctx)),
					slog.Duration("took", time.Since(began).Round(time.Millisecond)),
				}
				if tries, ok := retry.GetAttemptResults(meta); ok && len(tries.Results) > 1 {
					attributes = append(attributes, slog.Int("attempts", len(tries.Results)))
					if first := tries.Results[0].Err; first != nil {
						attributes = append(attributes, slog.String("retried", first.Error()))
					}
				}
				if err != nil {
					attributes = append(attributes, slog.String("error", err.Error()))
				}
				log.LogAttrs(ctx, slog.LevelDebug, "aws", attributes...)
				return out, meta, err
			}), middleware.After)
	}
}
