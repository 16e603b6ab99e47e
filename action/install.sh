#!/usr/bin/env bash
# Puts plimsoll on the PATH of the steps that follow: a release for this runner,
# whose archive has the checksum that is known of it, or what this commit is.
#
#   PLIMSOLL_VERSION, PLIMSOLL_SHA256   inputs of action.yml
#   PLIMSOLL_ACTION                     folder of the action
#   PLIMSOLL_RELEASES                   where releases are, when not on GitHub
set -euo pipefail

fail() {
  echo "::error title=plimsoll::$1"
  exit 1
}

case "${RUNNER_OS:-$(uname -s)}" in
  Linux) os=linux ;;
  macOS | Darwin) os=darwin ;;
  Windows) os=windows ;;
  *) fail "there is no release for $RUNNER_OS" ;;
esac
case "${RUNNER_ARCH:-$(uname -m)}" in
  X64 | x86_64) arch=amd64 ;;
  ARM64 | aarch64 | arm64) arch=arm64 ;;
  *) fail "there is no release for $RUNNER_ARCH" ;;
esac
kind=tar.gz
binary=plimsoll
if [ "$os" = windows ]; then
  kind=zip
  binary=plimsoll.exe
fi

# known prints the checksum of an archive, from the list that is part of this
# commit; nothing where it has none.
known() { awk -v file="$1" '$1 !~ /^#/ && $2 == file { print $1 }' "$PLIMSOLL_ACTION/action/checksums.txt"; }
newest() { awk '$1 == "#" && NF == 2 && $2 ~ /^v[0-9]/ { version = $2 } END { print version }' "$PLIMSOLL_ACTION/action/checksums.txt"; }

version="${PLIMSOLL_VERSION:-$(newest)}"
[[ $version =~ ^(v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)?$ ]] || fail "version: want a release, such as v1.2.3"
# The folder is the job's own, and gone when it ends: a second step of the job
# finds there what the first one has put.
place="$RUNNER_TEMP/plimsoll-${version:-built}"
mkdir -p "$place"
if [ -x "$place/$binary" ]; then
  :
elif [ -z "$version" ]; then
  echo "building plimsoll from this commit of the action"
  command -v go >/dev/null || fail "this commit of the action knows no release, and the runner has no Go to build it with"
  (cd "$PLIMSOLL_ACTION" && CGO_ENABLED=0 go build -trimpath -o "$place/" .)
else
  archive="plimsoll_${version#v}_${os}_$arch.$kind"
  sum="${PLIMSOLL_SHA256:-$(known "$archive")}"
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || fail "no checksum is known of $archive: give sha256, from checksums.txt of the release"
  curl --fail --silent --show-error --location --retry 3 --output "$place/$archive" \
    "${PLIMSOLL_RELEASES:-https://github.com/plimsoll-ecs/plimsoll/releases/download}/$version/$archive" ||
    fail "$archive cannot be downloaded"
  if command -v sha256sum >/dev/null; then
    got="$(sha256sum "$place/$archive")"
  else
    got="$(shasum -a 256 "$place/$archive")"
  fi
  [ "${got%% *}" = "$sum" ] || fail "$archive is not what its checksum says: ${got%% *}, not $sum"
  if [ "$os" = windows ]; then
    unzip -q "$place/$archive" "$binary" -d "$place"
  else
    tar -xzf "$place/$archive" -C "$place" "$binary"
  fi
  rm "$place/$archive"
fi
echo "$place" >>"$GITHUB_PATH"
"$place/$binary" version
