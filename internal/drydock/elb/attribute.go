package elb

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// delayKey is how long a target that was deregistered goes on with the
// requests it has.
const delayKey = "deregistration_delay.timeout_seconds"

// protectionKey keeps a load balancer from being deleted.
const protectionKey = "deletion_protection.enabled"

// groupAttributes are the attributes of a target group with their defaults
// (API reference, TargetGroupAttribute).
func groupAttributes(protocol types.ProtocolEnum) map[string]string {
	all := map[string]string{
		delayKey:             "300",
		"stickiness.enabled": "false",
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 "1",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
		"load_balancing.cross_zone.enabled":                                              "use_load_balancer_configuration",
	}
	if balancedByApplication(protocol) {
		maps.Copy(all, map[string]string{
			"stickiness.type":                             "lb_cookie",
			"stickiness.lb_cookie.duration_seconds":       "86400",
			"stickiness.app_cookie.cookie_name":           "",
			"stickiness.app_cookie.duration_seconds":      "86400",
			"slow_start.duration_seconds":                 "0",
			"load_balancing.algorithm.type":               "round_robin",
			"load_balancing.algorithm.anomaly_mitigation": "off",
		})
		return all
	}
	maps.Copy(all, map[string]string{
		"stickiness.type": "source_ip",
		"deregistration_delay.connection_termination.enabled":          "false",
		"preserve_client_ip.enabled":                                   "false",
		"proxy_protocol_v2.enabled":                                    "false",
		"target_health_state.unhealthy.connection_termination.enabled": "true",
		"target_health_state.unhealthy.draining_interval_seconds":      "0",
	})
	return all
}

// balancerAttributes are those of a load balancer (API reference,
// LoadBalancerAttribute).
func balancerAttributes(kind types.LoadBalancerTypeEnum) map[string]string {
	all := map[string]string{
		protectionKey:                       "false",
		"access_logs.s3.enabled":            "false",
		"access_logs.s3.bucket":             "",
		"access_logs.s3.prefix":             "",
		"ipv6.deny_all_igw_traffic":         "false",
		"load_balancing.cross_zone.enabled": "true",
		"zonal_shift.config.enabled":        "false",
	}
	if kind == types.LoadBalancerTypeEnumNetwork {
		all["load_balancing.cross_zone.enabled"] = "false"
		all["dns_record.client_routing_policy"] = "any_availability_zone"
		return all
	}
	maps.Copy(all, map[string]string{
		"idle_timeout.timeout_seconds":                             "60",
		"client_keep_alive.seconds":                                "3600",
		"connection_logs.s3.enabled":                               "false",
		"connection_logs.s3.bucket":                                "",
		"connection_logs.s3.prefix":                                "",
		"health_check_logs.s3.enabled":                             "false",
		"health_check_logs.s3.bucket":                              "",
		"health_check_logs.s3.prefix":                              "",
		"routing.http.desync_mitigation_mode":                      "defensive",
		"routing.http.drop_invalid_header_fields.enabled":          "false",
		"routing.http.preserve_host_header.enabled":                "false",
		"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
		"routing.http.xff_client_port.enabled":                     "false",
		"routing.http.xff_header_processing.mode":                  "append",
		"routing.http2.enabled":                                    "true",
		"waf.fail_open.enabled":                                    "false",
	})
	return all
}

// listenerAttributes are those of a listener (API reference,
// ListenerAttribute); the many that name headers are not here.
func listenerAttributes(protocol types.ProtocolEnum) map[string]string {
	if balancedByApplication(protocol) {
		return map[string]string{
			"routing.http.response.server.enabled":                                "true",
			"routing.http.response.strict_transport_security.header_value":        "",
			"routing.http.response.access_control_allow_origin.header_value":      "",
			"routing.http.response.access_control_allow_methods.header_value":     "",
			"routing.http.response.access_control_allow_headers.header_value":     "",
			"routing.http.response.access_control_allow_credentials.header_value": "",
			"routing.http.response.access_control_expose_headers.header_value":    "",
			"routing.http.response.access_control_max_age.header_value":           "",
			"routing.http.response.content_security_policy.header_value":          "",
			"routing.http.response.x_content_type_options.header_value":           "",
			"routing.http.response.x_frame_options.header_value":                  "",
		}
	}
	return map[string]string{"tcp.idle_timeout.seconds": "350"}
}

// given is one attribute of a request, whatever it is of.
type given struct{ Key, Value *string }

// withAttributes lays what a request gives over what is there. A key that is
// not known is refused.
func withAttributes(kind string, now map[string]string, request []given) (map[string]string, error) {
	next := maps.Clone(now)
	for _, a := range request {
		if a.Key == nil || *a.Key == "" {
			return nil, invalid("The attribute key must be specified")
		}
		if _, known := next[*a.Key]; !known {
			return nil, invalid("%s attribute key '%s' is not recognized", kind, *a.Key)
		}
		next[*a.Key] = ""
		if a.Value != nil {
			next[*a.Key] = *a.Value
		}
	}
	if value, isGroup := next[delayKey]; isGroup {
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 3600 {
			return nil, invalid("'%s' must be between 0 and 3600 inclusive", delayKey)
		}
	}
	return next, nil
}

// shown renders attributes in the order of their keys.
func shown[T any](attributes map[string]string, render func(key, value string) T) []T {
	out := []T{}
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		out = append(out, render(key, attributes[key]))
	}
	return out
}

// balancedByApplication is whether a protocol is of Application Load
// Balancers, else it is of Network Load Balancers.
func balancedByApplication(p types.ProtocolEnum) bool {
	return p == types.ProtocolEnumHttp || p == types.ProtocolEnumHttps
}
