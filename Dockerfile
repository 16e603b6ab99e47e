# plimsoll alone: the static binary, CA certificates, and a /tmp. No shell, no
# package manager, nobody to be but 65532. GitLab and GitHub run the commands of
# a job in a shell: for them there is Dockerfile.ci.
#
# goreleaser lays out the context: release/root by packaging/prepare.sh, and a
# folder for every platform with its binary.
FROM scratch
ARG TARGETPLATFORM
COPY --chown=65532:65532 release/root/ /
COPY $TARGETPLATFORM/plimsoll /plimsoll
USER 65532:65532
ENTRYPOINT ["/plimsoll"]
