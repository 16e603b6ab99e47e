package audit

// The codes. What each means stands in catalogue.json, and on the page that is
// made of it. A code that is no longer given stays reserved.
const (
	// What a restart needs, now.
	ImageGone      Code = "PL001"
	DigestGone     Code = "PL002"
	ImageArchived  Code = "PL003"
	ImageRestoring Code = "PL004"
	IndexBroken    Code = "PL005"
	DefinitionGone Code = "PL006"

	// What a lifecycle policy is going to take.
	LostAtNextRun Code = "PL010"
	Sinks         Code = "PL011"
	KeptByLuck    Code = "PL012"
	RunsUnpulled  Code = "PL013"

	// Tags and what holds them.
	TagMoved         Code = "PL020"
	FloatingTag      Code = "PL021"
	TagAgainstPolicy Code = "PL022"
	TagsCanMove      Code = "PL023"
	Unpinned         Code = "PL024"

	// The way back.
	NoRollback     Code = "PL030"
	FewerRollbacks Code = "PL031"
	RollbackSinks  Code = "PL032"

	// What it comes to for a service.
	RetirementFails Code = "PL040"
	RetirementComes Code = "PL041"
	StartFails      Code = "PL042"
	ScaleOutFails   Code = "PL043"

	// Lifecycle policies, and what images cost.
	NoPolicy         Code = "PL050"
	PolicyUnreadable Code = "PL051"
	PolicyRemark     Code = "PL052"
	NeverPulled      Code = "PL053"
	UnusedImages     Code = "PL054"

	// Roles.
	OneRoleForBoth    Code = "PL060"
	TaskRoleShared    Code = "PL061"
	ExecutionRoleWide Code = "PL062"
	RoleAllowsAll     Code = "PL063"
	TrustWide         Code = "PL064"

	// Roles of pipelines.
	PipelineRunsTasks  Code = "PL065"
	PipelineTakesRoles Code = "PL066"
	PassRoleWide       Code = "PL067"
	PipelineTrustOpen  Code = "PL068"
	PipelineWide       Code = "PL069"

	// The audit itself.
	OtherRegistry Code = "PL080"
	Unseen        Code = "PL081"
	AcceptExpired Code = "PL082"
)
