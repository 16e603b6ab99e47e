# The deploy job of the article's GitLab pipeline (testdata/script/article.txtar),
# word for word. A job ends at the first command that fails; "wait" adds the
# last line.
set -eu
export NEW_IMAGE="${ECR_REGISTRY}/${ECR_REPOSITORY}:${CI_COMMIT_TAG}"
aws ecs describe-task-definition --task-definition ${TASK_DEFINITION} --output json > temp.json
jq '.taskDefinition | del (.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy)' temp.json > task-def.json
jq --arg NEW_IMAGE "${NEW_IMAGE}" '.containerDefinitions[0].image = $NEW_IMAGE' task-def.json > new-task-def.json
aws ecs register-task-definition --cli-input-json file://new-task-def.json
aws ecs update-service --cluster ${ECS_CLUSTER} --service ${ECS_SERVICE} --task-definition ${TASK_DEFINITION}
if [ "$1" = wait ]; then aws ecs wait services-stable --cluster ${ECS_CLUSTER} --services ${ECS_SERVICE}; fi
