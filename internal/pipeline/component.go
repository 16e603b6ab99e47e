package pipeline

// Components are GitLab's CI/CD components: the same jobs, with inputs in the place
// of what a pipeline has by itself. They are the repository's folder templates.
func Components() ([]File, error) {
	var files []File
	for _, one := range []struct {
		name string
		jobs values
	}{
		{"build", values{
			"build": input("job"), "dind": input("dind"), "dockerfile": input("dockerfile"), "matrix": "", "of": "",
		}},
		{"deploy", values{
			"deploy": prefixed("deploy"), "rollback": prefixed("rollback"), "stop": prefixed("stop"), "start": prefixed("start"),
			"needs":       "needs:\n  - job: " + input("build-job") + "\n    optional: true",
			"environment": input("environment"), "where": "$[[ inputs.environment ]]", "url": input("url"), "gate": "", "services": " $[[ inputs.arguments ]]",
		}},
		{"audit", values{"audit": input("job")}},
	} {
		text, err := component(one.name, one.jobs)
		if err != nil {
			return nil, err
		}
		files = append(files, File{"templates/" + one.name + ".yml", text})
	}
	return files, nil
}

// component is one of them: its inputs, the job that the others extend, and these.
func component(name string, jobs values) (string, error) {
	// Two components in one pipeline must not share what they extend.
	base := `".plimsoll-` + name + `"`
	if name == "deploy" {
		base = `".plimsoll-deploy-$[[ inputs.environment ]]"`
	}
	defaults := Plan{}.Defaults().GitLab
	head, err := fill("component/"+name+".yml", values{
		"image": scalar(defaults.Image), "dind": scalar(defaults.Dind), "audience": scalar(defaults.Audience),
	})
	if err != nil {
		return "", err
	}
	common := values{
		"base": base, "image": input("image"), "audience": input("audience"),
		"version": input("plimsoll-version"), "sha256": input("plimsoll-sha256"), "region": input("region"), "file": input("config"),
		"registry": "", "repository": "", "cluster": "", "service": "", "family": "",
	}
	if name != "audit" {
		common["registry"], common["repository"] = input("registry"), input("repository")
	}
	if name == "deploy" {
		common["cluster"], common["service"], common["family"] = input("cluster"), input("service"), input("task-definition")
	}
	jobs["base"], jobs["stage"], jobs["role"], jobs["config"] = base, input("stage"), input("role-arn"), input("plimsoll-env")
	text, err := join([]part{{"gitlab/base.yml", common}, {"gitlab/" + name + ".yml", jobs}})
	return head + text, err
}

// input is the value of an input, as a text whatever it is.
func input(name string) string { return `"$[[ inputs.` + name + ` ]]"` }

// prefixed is the name of a job of one environment.
func prefixed(what string) string {
	return `"$[[ inputs.job-prefix ]]:` + what + `:$[[ inputs.environment ]]"`
}
