package ecs

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// attachments is a task's network interface as DescribeTasks shows it: the
// subnet from the start, the interface itself once it is provisioned. What an
// interface is made of comes out of the task's id.
func (t *task) attachments() []types.Attachment {
	if t.Attachment == "" {
		return []types.Attachment{}
	}
	detail := func(name, value string) types.KeyValuePair {
		return types.KeyValuePair{Name: &name, Value: &value}
	}
	a := types.Attachment{Id: aws.String(t.Attachment), Type: aws.String("ElasticNetworkInterface"), Details: []types.KeyValuePair{detail("subnetId", t.Subnet)}}
	switch {
	case t.LastStatus == statusStopped:
		a.Status = aws.String("DELETED")
	case t.LastStatus == statusProvisioning:
		a.Status = aws.String("PRECREATED")
		return []types.Attachment{a}
	default:
		a.Status = aws.String("ATTACHED")
	}
	address := t.address()
	a.Details = append(a.Details,
		detail("networkInterfaceId", "eni-0"+t.ID[:16]),
		detail("macAddress", fmt.Sprintf("0a:%s:%s:%s:%s:%s", t.ID[:2], t.ID[2:4], t.ID[4:6], t.ID[6:8], t.ID[8:10])),
		detail("privateDnsName", "ip-"+dashed(address)+".ec2.internal"),
		detail("privateIPv4Address", address),
	)
	return []types.Attachment{a}
}

// interfaces is the same interface as each container shows it.
func (t *task) interfaces() []types.NetworkInterface {
	if t.Attachment == "" || t.LastStatus == statusProvisioning {
		return []types.NetworkInterface{}
	}
	return []types.NetworkInterface{{AttachmentId: aws.String(t.Attachment), PrivateIpv4Address: aws.String(t.address())}}
}

// address is in 10.0.0.0/16 and made of the task's id.
func (t *task) address() string {
	var a, b byte
	if _, err := fmt.Sscanf(t.ID[:4], "%02x%02x", &a, &b); err != nil {
		return "10.0.0.4"
	}
	return fmt.Sprintf("10.0.%d.%d", a, 4+int(b)%250) // AWS keeps the first four of a subnet
}

func dashed(address string) string {
	out := []byte(address)
	for i := range out {
		if out[i] == '.' {
			out[i] = '-'
		}
	}
	return string(out)
}
