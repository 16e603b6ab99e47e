package image

import "testing"

func TestParseECRHost(t *testing.T) {
	for host, want := range map[string]ECR{
		"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com":               {"123456789012", "ap-northeast-1"},
		"123456789012.DKR.ecr.eu-west-1.AmazonAWS.com":                    {"123456789012", "eu-west-1"},
		"123456789012.dkr.ecr-fips.us-east-1.amazonaws.com":               {"123456789012", "us-east-1"},
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn":                {"123456789012", "cn-north-1"},
		"123456789012.dkr-ecr.us-west-2.on.aws":                           {"123456789012", "us-west-2"},
		"123456789012.dkr-ecr-fips.us-gov-west-1.on.aws":                  {"123456789012", "us-gov-west-1"},
		"123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn": {"123456789012", "cn-northwest-1"},
		"123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu":                {"123456789012", "eusc-de-east-1"},
	} {
		if got, ok := ParseECRHost(host); !ok || got != want {
			t.Errorf("ParseECRHost(%q) = %v, %v", host, got, ok)
		}
	}
	for _, host := range []string{
		"", "nginx", "docker.io", "public.ecr.aws", "127.0.0.1:4510",
		"12345678901.dkr.ecr.eu-west-1.amazonaws.com",
		"12345678901x.dkr.ecr.eu-west-1.amazonaws.com",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
		"123456789012.dkr.ecr.eu-west-1.example.com",
		"123456789012.dkr.ecr..amazonaws.com",
		"123456789012.dkr.ecr.eu_west.amazonaws.com",
		"123456789012.dkr.ecr.eu-west-1.on.aws",
		"123456789012.dkr-ecr.eu-west-1.amazonaws.com",
		"123456789012.dkr.s3.eu-west-1.amazonaws.com",
		"123456789012.ecr.eu-west-1.amazonaws.com",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com:443",
	} {
		if got, ok := ParseECRHost(host); ok {
			t.Errorf("ParseECRHost(%q) = %v, want none", host, got)
		}
	}
}

func TestECRHost(t *testing.T) {
	for _, host := range []string{"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"} {
		e, ok := ParseECRHost(host)
		if !ok || e.Host() != host {
			t.Errorf("%s came back as %q", host, e.Host())
		}
	}
}
