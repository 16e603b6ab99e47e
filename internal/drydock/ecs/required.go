package ecs

// required names the members that a structure of a request must have, by the
// structure's name in the SDK: the API model's "required", as the SDK checks
// it before it sends. TestRequiredMembers holds this list against the SDK.
func required(structure string) []string {
	switch structure {
	case "AssociateGatewayWithClusterInput", "DisassociateGatewayFromClusterInput":
		return []string{"Gateway", "Cluster"}
	case "AttachmentStateChange":
		return []string{"AttachmentArn", "Status"}
	case "Attribute", "CreateCapacityProviderInput", "DeleteAccountSettingInput", "ServiceConnectTestTrafficHeaderRules", "ServiceVolumeConfiguration", "TaskVolumeConfiguration", "Ulimit", "UpdateCapacityProviderInput":
		return []string{"Name"}
	case "AutoScalingGroupProvider":
		return []string{"AutoScalingGroupArn"}
	case "AwsVpcConfiguration":
		return []string{"Subnets"}
	case "CapacityProviderStrategyItem", "DeleteCapacityProviderInput":
		return []string{"CapacityProvider"}
	case "ClusterServiceConnectDefaultsRequest", "ListServicesByNamespaceInput":
		return []string{"Namespace"}
	case "ContainerDependency":
		return []string{"ContainerName", "Condition"}
	case "ContainerRestartPolicy":
		return []string{"Enabled"}
	case "ContinueServiceDeploymentInput":
		return []string{"ServiceDeploymentArn", "HookId"}
	case "CreateDaemonInput":
		return []string{"DaemonName", "DaemonTaskDefinitionArn", "CapacityProviderArns"}
	case "CreateExpressGatewayServiceInput":
		return []string{"InfrastructureRoleArn"}
	case "CreateGatewayInput":
		return []string{"Name", "InfrastructureRoleArn", "Configuration"}
	case "CreateManagedInstancesProviderConfiguration", "UpdateManagedInstancesProviderConfiguration":
		return []string{"InfrastructureRoleArn", "InstanceLaunchTemplate"}
	case "CreateServiceInput":
		return []string{"ServiceName"}
	case "CreateTaskSetInput":
		return []string{"Service", "Cluster", "TaskDefinition"}
	case "DaemonContainerDefinition", "ExpressGatewayContainer":
		return []string{"Image"}
	case "DeleteAttributesInput", "PutAttributesInput":
		return []string{"Attributes"}
	case "DeleteClusterInput", "GetTaskProtectionInput", "UpdateClusterInput":
		return []string{"Cluster"}
	case "DeleteDaemonInput", "DescribeDaemonInput", "ListDaemonDeploymentsInput":
		return []string{"DaemonArn"}
	case "DeleteDaemonTaskDefinitionInput", "DescribeDaemonTaskDefinitionInput":
		return []string{"DaemonTaskDefinition"}
	case "DeleteExpressGatewayServiceInput", "DescribeExpressGatewayServiceInput", "UpdateExpressGatewayServiceInput":
		return []string{"ServiceArn"}
	case "DeleteGatewayInput", "DescribeGatewayInput", "DescribeGatewayResourcesInput", "UpdateGatewayInput":
		return []string{"Gateway"}
	case "DeleteServiceInput", "ListServiceDeploymentsInput", "UpdateServiceInput":
		return []string{"Service"}
	case "DeleteTaskDefinitionsInput":
		return []string{"TaskDefinitions"}
	case "DeleteTaskSetInput":
		return []string{"Cluster", "Service", "TaskSet"}
	case "DeploymentAlarms":
		return []string{"AlarmNames"}
	case "DeploymentController", "FirelensConfiguration", "ResourceRequirement", "ThresholdConfiguration":
		return []string{"Type"}
	case "DeregisterContainerInstanceInput", "UpdateContainerAgentInput":
		return []string{"ContainerInstance"}
	case "DeregisterTaskDefinitionInput", "DescribeTaskDefinitionInput", "RunTaskInput":
		return []string{"TaskDefinition"}
	case "DescribeContainerInstancesInput":
		return []string{"ContainerInstances"}
	case "DescribeDaemonDeploymentsInput":
		return []string{"DaemonDeploymentArns"}
	case "DescribeDaemonRevisionsInput":
		return []string{"DaemonRevisionArns"}
	case "DescribeGatewayRouteInput":
		return []string{"GatewayRouteArn"}
	case "DescribeServiceDeploymentsInput":
		return []string{"ServiceDeploymentArns"}
	case "DescribeServiceRevisionsInput":
		return []string{"ServiceRevisionArns"}
	case "DescribeServicesInput":
		return []string{"Services"}
	case "DescribeTaskSetsInput":
		return []string{"Cluster", "Service"}
	case "DescribeTasksInput":
		return []string{"Tasks"}
	case "Device":
		return []string{"HostPath"}
	case "EBSTagSpecification":
		return []string{"ResourceType"}
	case "EFSVolumeConfiguration":
		return []string{"FileSystemId"}
	case "EnvironmentFile":
		return []string{"Value", "Type"}
	case "ExecuteCommandInput":
		return []string{"Command", "Task"}
	case "ExpressGatewayServiceAwsLogsConfiguration":
		return []string{"LogGroup", "LogStreamPrefix"}
	case "FSxWindowsFileServerAuthorizationConfig":
		return []string{"CredentialsParameter", "Domain"}
	case "FSxWindowsFileServerVolumeConfiguration":
		return []string{"FileSystemId", "RootDirectory", "AuthorizationConfig"}
	case "GatewayConnector", "ServiceConnectService":
		return []string{"PortName"}
	case "GatewayElbAccessLogS3Destination":
		return []string{"Bucket"}
	case "GatewayTestTrafficHeader":
		return []string{"Name", "Values"}
	case "HealthCheck":
		return []string{"Command"}
	case "HostEntry":
		return []string{"Hostname", "IpAddress"}
	case "InferenceAccelerator":
		return []string{"DeviceName", "DeviceType"}
	case "InstanceLaunchTemplate":
		return []string{"Ec2InstanceProfileArn", "NetworkConfiguration"}
	case "InstanceRequirementsRequest":
		return []string{"VCpuCount", "MemoryMiB"}
	case "ListAttributesInput":
		return []string{"TargetType"}
	case "ListTagsForResourceInput":
		return []string{"ResourceArn"}
	case "LogConfiguration":
		return []string{"LogDriver"}
	case "LogDriverVolumeConfiguration":
		return []string{"Driver"}
	case "ManagedAgentStateChange":
		return []string{"ContainerName", "ManagedAgentName", "Status"}
	case "MemoryMiBRequest", "VCpuCountRangeRequest":
		return []string{"Min"}
	case "MetricConfiguration":
		return []string{"MetricNames", "ResolutionSeconds"}
	case "NvidiaMpsAllocation":
		return []string{"Memory"}
	case "PlatformDevice":
		return []string{"Id", "Type"}
	case "ProxyConfiguration":
		return []string{"ContainerName"}
	case "PutAccountSettingDefaultInput", "PutAccountSettingInput":
		return []string{"Name", "Value"}
	case "PutClusterCapacityProvidersInput":
		return []string{"Cluster", "CapacityProviders", "DefaultCapacityProviderStrategy"}
	case "RegisterDaemonTaskDefinitionInput", "RegisterTaskDefinitionInput":
		return []string{"Family", "ContainerDefinitions"}
	case "RepositoryCredentials":
		return []string{"CredentialsParameter"}
	case "S3FilesVolumeConfiguration":
		return []string{"FileSystemArn"}
	case "Secret":
		return []string{"Name", "ValueFrom"}
	case "ServiceConnectAccessLogConfiguration":
		return []string{"Format"}
	case "ServiceConnectClientAlias":
		return []string{"Port"}
	case "ServiceConnectTestTrafficHeaderMatchRules":
		return []string{"Exact"}
	case "ServiceConnectTestTrafficRules":
		return []string{"Header"}
	case "ServiceConnectTlsConfiguration":
		return []string{"IssuerCertificateAuthority"}
	case "ServiceManagedEBSVolumeConfiguration", "TaskManagedEBSVolumeConfiguration":
		return []string{"RoleArn"}
	case "StartTaskInput":
		return []string{"ContainerInstances", "TaskDefinition"}
	case "StopServiceDeploymentInput":
		return []string{"ServiceDeploymentArn"}
	case "StopTaskInput":
		return []string{"Task"}
	case "SubmitAttachmentStateChangesInput":
		return []string{"Attachments"}
	case "TagResourceInput":
		return []string{"ResourceArn", "Tags"}
	case "TaskManagedEBSVolumeTerminationPolicy":
		return []string{"DeleteOnTermination"}
	case "Tmpfs":
		return []string{"ContainerPath"}
	case "UntagResourceInput":
		return []string{"ResourceArn", "TagKeys"}
	case "UpdateClusterSettingsInput":
		return []string{"Cluster", "Settings"}
	case "UpdateContainerInstancesStateInput":
		return []string{"ContainerInstances", "Status"}
	case "UpdateDaemonInput":
		return []string{"DaemonArn", "DaemonTaskDefinitionArn", "CapacityProviderArns"}
	case "UpdateServicePrimaryTaskSetInput":
		return []string{"Cluster", "Service", "PrimaryTaskSet"}
	case "UpdateTaskProtectionInput":
		return []string{"Cluster", "Tasks"}
	case "UpdateTaskSetInput":
		return []string{"Cluster", "Service", "TaskSet", "Scale"}
	case "VpcLatticeConfiguration":
		return []string{"RoleArn", "TargetGroupArn", "PortName"}
	}
	return nil
}
