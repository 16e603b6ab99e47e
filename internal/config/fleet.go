package config

// SettingsOf are the settings of one service of a fleet: the file's for it, by
// its cluster and its name in ECS. To a service that the file does not have the
// file's tags apply, and the variables only where they name it: what describes
// another service is not about this one.
func (l Lookup) SettingsOf(cluster, service string) (Settings, error) {
	e, err := l.environment()
	if err != nil {
		return Settings{}, err
	}
	if l.File != nil {
		for _, name := range l.File.names(e) {
			s, err := l.Resolve(Flags{Service: name, OneOfMany: true})
			if err != nil {
				return Settings{}, err
			}
			if s.Service.Value == service && (s.Cluster.Value == "" || s.Cluster.Value == cluster) {
				s.Cluster.Value = cluster
				return s, nil
			}
		}
	}
	place, err := l.Place()
	if err != nil {
		return Settings{}, err
	}
	bare := Lookup{Getenv: l.Getenv}
	if at := l.Getenv("ECS_CLUSTER"); l.Getenv("ECS_SERVICE") != service || at != "" && at != cluster {
		bare.Getenv = func(string) string { return "" }
	}
	s, err := bare.Resolve(Flags{Cluster: cluster, Service: service})
	if !s.Tags.Given() {
		s.Tags = place.Tags
	}
	return s, err
}
