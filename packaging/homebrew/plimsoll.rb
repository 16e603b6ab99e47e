# A Homebrew formula that builds from source, for a tap of your own: put in the
# tag and its commit. The tap of this project has a cask with the released
# binary, which goreleaser writes.
class Plimsoll < Formula
  desc "Deploys container images to Amazon ECS, and proves that what runs can restart"
  homepage "https://github.com/plimsoll-ecs/plimsoll"
  # A clone, not an archive: the go command stamps the version from git.
  url "https://github.com/plimsoll-ecs/plimsoll.git",
      tag:      "v@VERSION@",
      revision: "@COMMIT@"
  license "Apache-2.0"
  head "https://github.com/plimsoll-ecs/plimsoll.git", branch: "main"

  depends_on "go" => :build

  def install
    ENV["CGO_ENABLED"] = "0"
    system "go", "build", "-buildvcs=true", *std_go_args(ldflags: "-s -w")
    generate_completions_from_executable(bin/"plimsoll", "completion")
    system bin/"plimsoll", "man", man1
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/plimsoll version")
    assert_match "stable", shell_output("#{bin}/plimsoll demo --runtime simulated 2>&1")
  end
end
