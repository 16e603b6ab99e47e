package lint

import (
	"fmt"
	"strings"
)

// Entry is what a code means.
type Entry struct {
	Code  Code
	Title string
	Story string // what has happened to people
}

// Catalogue lists the codes, in their order.
func Catalogue() []Entry {
	return []Entry{
		{"LC001", "ECR refuses the policy", "The constraint is in ECR's words, with the place in the text that ECR leaves out."},
		{"LC002", "A member is null", "`\"countUnit\": null` is not the absence of countUnit. ECR answers that the instance failed to match exactly one schema, and names nothing; Terraform modules that write all their optional members have been broken by it more than once."},
		{"LC003", "A pattern has more than four wildcards", "That is ECR's limit for an entry of tagPatternList."},
		{"LC004", "Several patterns in one rule", "`[\"prod-*\", \"release-*\"]` is about images that carry both kinds of tag, which are none. In a rule that should protect it protects nothing; policies written to keep for ten years have deleted at once because of it."},
		{"LC005", "A protecting rule is not the first", "A rule that never takes anything protects what it is about from the rules after it, and from those alone."},
		{"LC006", "A number at the end of a prefix", "`v1` is also the beginning of v10.0.0 and of v12."},
		{"LC007", "A rule is about no image", "Most often a misspelt pattern: a tagPrefixList takes no `*`, a tagPatternList without one means the whole tag, and capitals count. What it should have protected is not protected."},
		{"LC008", "A rule takes nothing, since earlier ones come first", "An image belongs to the first rule that is about it, even when that rule never takes it."},
		{"LC009", "A rule for any image goes by age", "Freeze: the service is stable, nobody deploys, and the one image it runs grows old. It goes on a quiet night; the next restart fails."},
		{"LC010", "Untagged images go sooner than a restart may come", "A tag that moves leaves the image before it untagged, with the age of its push. Tasks restart by the digest that their deployment found, not by the tag, so that image may be in use, and gone the same night. `docker pull` of the tag works all the while."},
		{"LC011", "Tagged images go sooner than a retirement comes", "Fargate announces a retirement up to 14 days ahead. An image that ages out within that time is gone when the replacement has to start."},
		{"LC012", "Services share a repository, and a rule counts", "Crowding: another team pushes often, and the image of the service that is rarely deployed falls beyond the newest N."},
		{"LC013", "Images carry tags of two rules", "An image that was promoted has its old tag too. Where the rule for builds has the lower number, it takes the release."},
		{"LC014", "Releases under no rule", "They stay for ever: safe, but not free."},
		{"LC015", "Releases left to the rule for any image", "They are counted with every build of every branch, and go as fast."},
		{"LC016", "A rule goes by the last pull", "A task that runs pulls nothing: a service that was last started 100 days ago looks unused. The image is archived, and a pull of it fails until somebody restores it."},
		{"LC017", "A count counts manifests", "buildx pushes an index, and an image and an attestation for each platform: five manifests for two platforms. Where the parts are counted, keep-20 means four releases."},
		{"LC018", "The next run takes what is in use", "ECR's lifecycle policies know nothing of ECS."},
	}
}

// Page is docs/lifecycle.md's part on lint, as Markdown.
func Page() string {
	var b strings.Builder
	for _, e := range Catalogue() {
		fmt.Fprintf(&b, "### %s: %s\n\n%s\n\n", e.Code, e.Title, e.Story)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
