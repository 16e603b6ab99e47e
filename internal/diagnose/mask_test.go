package diagnose

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		// What is no secret stays as it is.
		"":                        "",
		"listening on :8080":      "listening on :8080",
		"KeyError: 'DB_PASSWORD'": "KeyError: 'DB_PASSWORD'",
		"panic: missing required environment variable API_TOKEN":                          "panic: missing required environment variable API_TOKEN",
		"GET https://example.com:8080/health 500":                                         "GET https://example.com:8080/health 500",
		"the secret prod/db has no key password":                                          "the secret prod/db has no key password",
		"FATAL: password authentication failed for user \"app\"":                          "FATAL: password authentication failed for user \"app\"",
		"connect ECONNREFUSED 10.0.1.5:5432":                                              "connect ECONNREFUSED 10.0.1.5:5432",
		"/start.sh: line 3: DB_PASSWORD: unbound variable":                                "/start.sh: line 3: DB_PASSWORD: unbound variable",
		"sh: API_TOKEN: parameter not set":                                                "sh: API_TOKEN: parameter not set",
		"cannot read arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf": "cannot read arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
		"keyboard: qwerty": "keyboard: qwerty",

		"postgres://app:hunter2@db:5432/prod":                                  "postgres://app:[hidden]@db:5432/prod",
		"redis://:hunter2@cache:6379":                                          "redis://:[hidden]@cache:6379",
		"cannot connect to mongodb+srv://app:p/w@x.net/a":                      "cannot connect to mongodb+srv://app:[hidden]@x.net/a",
		"app:hunter2@tcp(db:3306)/prod":                                        "app:[hidden]@tcp(db:3306)/prod",
		"key AKIAIOSFODNN7EXAMPLE is not valid":                                "key AKIA[hidden] is not valid",
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEK":         "AWS_SECRET_ACCESS_KEY=[hidden]",
		"Authorization: Bearer abc.def-ghi":                                    "Authorization: [hidden]",
		"authorization=Basic YXBwOmh1bnRlcjI=":                                 "authorization=[hidden]",
		"sent bearer abcdef0123456789":                                         "sent bearer [hidden]",
		`{"db":"prod","password":"hun\"ter2","port":5432}`:                     `{"db":"prod","password":[hidden],"port":5432}`,
		"DB_PASSWORD=hunter2 DB_HOST=db":                                       "DB_PASSWORD=[hidden] DB_HOST=db",
		"db_password: 'hunter2 and more', host: db":                            "db_password: [hidden], host: db",
		"mysql --password hunter2 -h db":                                       "mysql --password [hidden] -h db",
		"host=db user=app password=hunter2 dbname=prod":                        "host=db user=app password=[hidden] dbname=prod",
		"GET /x?token=hunter2&page=2":                                          "GET /x?token=[hidden]&page=2",
		"https://s3/x?X-Amz-Signature=abc123&x=1":                              "https://s3/x?X-Amz-Signature=[hidden]&x=1",
		"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_1 refused":           "jwt [hidden] refused",
		"using ghp_abcdefghijklmnop0123":                                       "using ghp_[hidden]",
		"stripe sk_live_abcdefgh12345678":                                      "stripe sk_live_[hidden]",
		"a -----BEGIN RSA PRIVATE KEY-----MIIE-----END RSA PRIVATE KEY----- b": "a [hidden] b",
		"apiKey => 'hunter2'":                                                  "apiKey => [hidden]",
		"CLIENT_SECRET: hunter2":                                               "CLIENT_SECRET: [hidden]",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestMaskLines(t *testing.T) {
	const body = "MIIEpAIBAAKCAQEA1234567890abcdefghij"
	for _, c := range []struct{ in, want []string }{
		{nil, []string{}},
		{
			[]string{"key: -----BEGIN PRIVATE KEY-----", body, "-----END PRIVATE KEY-----", "listening"},
			[]string{"key: [hidden]", "[hidden]", "[hidden]", "listening"},
		},
		{ // the block begins before the tail
			[]string{body, "-----END RSA PRIVATE KEY-----", "no such host"},
			[]string{"[hidden]", "[hidden]", "no such host"},
		},
		{ // a certificate is no secret
			[]string{"-----BEGIN CERTIFICATE-----", body, "-----END CERTIFICATE-----"},
			[]string{"-----BEGIN CERTIFICATE-----", body, "-----END CERTIFICATE-----"},
		},
	} {
		if diff := cmp.Diff(c.want, MaskLines(c.in)); diff != "" {
			t.Error(diff)
		}
	}
}

// A value that is assigned to a telling name never passes, whatever stands
// around it, and masking what is masked changes nothing.
func FuzzMask(f *testing.F) {
	f.Add("DB_HOST=db ", " DB_PORT=5432")
	f.Add("\x1b[31m", "}")
	f.Add("postgres://", "@db")
	f.Fuzz(func(t *testing.T, before, after string) {
		const value = "hunter2correcthorse"
		line := before + " DB_PASSWORD=" + value + " " + after
		got := Mask(line)
		if strings.Contains(got, value) && !strings.ContainsAny(before, "\"'") {
			t.Fatalf("%q shows it: %q", line, got)
		}
		if again := Mask(got); again != got {
			// Only what stands around may shrink further, never grow.
			if len(again) > len(got)+len(Hidden) {
				t.Fatalf("%q grows to %q", got, again)
			}
		}
	})
}
