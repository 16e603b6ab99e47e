package drydock

import (
	"errors"
	"net/http"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// controlRehearsal is the part of the control API that stands for what ECS
// looks at in other services: CloudWatch alarms, Lambda functions and EC2
// instances.
//
//	GET    alarms            {"alarms": [ecs.Alarm…]}
//	POST   alarms            {"name": "errors", "state": "OK|ALARM|INSUFFICIENT_DATA"}; answers the ecs.Alarm
//	GET    hooks             {"hooks": [ecs.HookAnswer…]}
//	POST   hooks             an ecs.HookAnswer: what a lifecycle hook's function answers from now on
//	GET    instances         ?cluster=C; {"instances": [ecs.Instance…]}
//	POST   instances         {"cluster": C, "count": 3, "instanceType": "t3.medium", "zone": Z}; answers those it added
//	DELETE instances/{id}    ?cluster=C, terminates one
func (s *Server) controlRehearsal(mux *http.ServeMux) {
	mux.HandleFunc("GET /_drydock/alarms", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Alarms{s.tasks.Alarms()}) })
	mux.HandleFunc("POST /_drydock/alarms", s.postAlarm)
	mux.HandleFunc("GET /_drydock/hooks", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Hooks{s.tasks.HookAnswers()}) })
	mux.HandleFunc("POST /_drydock/hooks", s.postHook)
	mux.HandleFunc("GET /_drydock/instances", func(w http.ResponseWriter, r *http.Request) { s.answerInstances(w, r.URL.Query().Get("cluster")) })
	mux.HandleFunc("POST /_drydock/instances", s.postInstances)
	mux.HandleFunc("DELETE /_drydock/instances/{id}", s.deleteInstance)
}

// Alarms is what GET alarms answers.
type Alarms struct {
	Alarms []ecs.Alarm `json:"alarms"`
}

// Hooks is what GET hooks answers.
type Hooks struct {
	Hooks []ecs.HookAnswer `json:"hooks"`
}

// Instances is what GET, POST and DELETE instances answer.
type Instances struct {
	Instances []ecs.Instance `json:"instances"`
}

// NewInstances is what POST instances takes. Count is 1 and InstanceType
// t3.medium when they are not given; Zone "" spreads them.
type NewInstances struct {
	Cluster      string `json:"cluster"`
	Count        int    `json:"count,omitempty"`
	InstanceType string `json:"instanceType,omitempty"`
	Zone         string `json:"zone,omitempty"`
}

func (s *Server) answerInstances(w http.ResponseWriter, cluster string) {
	all, err := s.tasks.Instances(cluster)
	if !refused(w, err) {
		writeJSON(w, Instances{all})
	}
}

func (s *Server) postInstances(w http.ResponseWriter, r *http.Request) {
	in := NewInstances{Count: 1, InstanceType: "t3.medium"}
	if !readJSON(w, r, &in, `{"cluster": "prod", "count": 3, "instanceType": "t3.medium"}`) {
		return
	}
	added, err := s.tasks.AddInstances(in.Cluster, in.Count, in.InstanceType, in.Zone)
	if !refused(w, err) {
		writeJSON(w, Instances{added})
	}
}

func (s *Server) deleteInstance(w http.ResponseWriter, r *http.Request) {
	cluster := r.URL.Query().Get("cluster")
	if !refused(w, s.tasks.TerminateInstance(cluster, r.PathValue("id"))) {
		s.answerInstances(w, cluster)
	}
}

func (s *Server) postAlarm(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name  string         `json:"name"`
		State ecs.AlarmState `json:"state"`
	}
	if !readJSON(w, r, &in, `{"name": "errors", "state": "ALARM"}`) {
		return
	}
	alarm, err := s.tasks.SetAlarm(in.Name, in.State)
	if !refused(w, err) {
		writeJSON(w, alarm)
	}
}

func (s *Server) postHook(w http.ResponseWriter, r *http.Request) {
	var in ecs.HookAnswer
	if !readJSON(w, r, &in, `{"arn": "arn:aws:lambda:…", "status": "SUCCEEDED"}`) {
		return
	}
	if !refused(w, s.tasks.AnswerHook(in)) {
		writeJSON(w, in)
	}
}

// refused answers an error: 400 for what cannot be meant, 500 for what went
// wrong here.
func refused(w http.ResponseWriter, err error) bool {
	if err == nil {
		return false
	}
	status := http.StatusInternalServerError
	text := err.Error()
	if e, ok := errors.AsType[*wire.Error](err); ok {
		status, text = http.StatusBadRequest, e.Message
	}
	http.Error(w, text, status)
	return true
}
