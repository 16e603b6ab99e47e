#!/bin/sh
# Makes what a release has beside the binary, into release/:
#
#   completions/   for bash, zsh, fish and PowerShell
#   man/           a page for every command
#   root/          the files of the image FROM scratch: CA certificates, and a
#                  /tmp, which pushing an OCI layout needs
#
# usage: packaging/prepare.sh [PLIMSOLL]   a binary for this machine; built when not given
set -eu
cd "$(dirname "$0")/.."
rm -rf release
mkdir -p release/completions release/root/etc/ssl/certs release/root/tmp

plimsoll=${1:-}
if [ -z "$plimsoll" ]; then
  plimsoll=release/plimsoll
  # For this machine, also where goreleaser has another one in mind.
  GOOS='' GOARCH='' CGO_ENABLED=0 go build -trimpath -buildvcs=true -o "$plimsoll" .
fi
"$plimsoll" completion bash >release/completions/plimsoll.bash
"$plimsoll" completion zsh >release/completions/_plimsoll
"$plimsoll" completion fish >release/completions/plimsoll.fish
"$plimsoll" completion powershell >release/completions/plimsoll.ps1
"$plimsoll" man release/man

# Those of the machine that releases; SSL_CERT_FILE names others.
for certificates in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
  if [ -n "$certificates" ] && [ -f "$certificates" ]; then
    cp "$certificates" release/root/etc/ssl/certs/ca-certificates.crt
    break
  fi
done
[ -s release/root/etc/ssl/certs/ca-certificates.crt ] || {
  echo "no CA certificates on this machine: install ca-certificates, or set SSL_CERT_FILE" >&2
  exit 1
}
chmod 1777 release/root/tmp
touch release/root/tmp/.keep # an empty folder is not copied
