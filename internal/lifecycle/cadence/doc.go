// Package cadence foresees pushes: how many days until the n-th further push
// to a repository, and how many pushes in so many days. A lifecycle rule that
// keeps the newest N images takes the next one when enough others have come;
// this is the clock of such rules.
//
//	m := cadence.Learn(cadence.Pushes(rule, images), now)
//	w := m.After(event.Pushes) // P10, P50, P90
//
// # The model
//
// Pushes come in batches: an index with its platforms within seconds, a day of
// release candidates. Pushes no more than five minutes apart are one batch, or
// two or eight hours where the gaps show that the bursts last longer. Batches
// come at a rate; their sizes are those seen. That is a compound process, and
// it is why neither a Poisson nor a negative binomial law for the pushes will
// do: with four images a build the fifth push is as far away as the eighth.
// Bootstrapping days would do as well, but it needs a random source and a
// thousand walks where this needs one equation.
//
//   - The week. The rate follows the hours of the week (7 weights for the days,
//     24 for the hours, UTC), drawn to an even week as far as chance explains
//     the differences. Everything else is reckoned in days of work.
//   - Now. A push counts half when it is ten weeks old, and pushes older than
//     a year not at all. The rate has a trend, believed as far as the pushes
//     show one, which fades out of the forecast over half a year.
//   - Unevenness. How regular the gaps are, how much more than by chance the
//     weeks differ and then the months, each drawn to chance where data are
//     few: regular releases give narrow windows, moody teams wide ones.
//   - The wait for n pushes is a gamma variable (the batches that bring them)
//     over a gamma variable (their rate, which is not known exactly), in two
//     cases: that a rare large batch comes, or not.
//   - Silence. Three weeks are a holiday. After that it is weighed whether
//     anybody pushes any more; what is then less than likely is not foretold.
//
// One push says little: Latest is then more than a year away, and what is
// beyond [Sight], two years, is told as zero. No pushes say nothing, but the
// first could come any day, so Earliest stays near. Nothing is random: the same
// pushes give the same window.
//
// # How good it is
//
// TestCalibration makes histories of 40 to 400 days of teams that the constants
// were not chosen on, and compares what is foretold with what the team does
// next, for n = 1, 2, 5, 10, 25 and 60. Right is 10, 50 and 10; it asks for 5 to
// 15, 40 to 60 (35 to 65 with a trend) and 5 to 15 %. Of 1,000 histories of each kind:
//
//	           all n               n = 1               n = 60
//	            <P10  <P50  >P90    <P10  <P50  >P90    <P10  <P50  >P90
//	Poisson     10.6  52.5   8.6    10.5  51.1  10.2     9.4  55.1   5.9
//	weekdays     9.8  52.1   8.7     8.6  49.8  11.1     8.8  53.1   5.8
//	buildx       9.6  50.8  10.2     8.5  49.4  10.2     9.2  53.0  10.5
//	releases    13.8  54.4   8.6    14.0  53.1  10.9    13.1  55.0   6.4
//	CI storms   11.9  48.6   7.3     9.5  49.8  10.9    17.7  40.7   7.2
//	growing     11.1  58.7   5.7     5.8  52.6   7.9    10.9  64.9   2.8
//	shrinking    9.3  49.7  10.5     6.9  50.2  10.7     7.8  46.3   9.9
//	holidays     8.5  53.1  10.5     7.9  52.9  10.7    10.6  56.6  10.8
//	moods        9.6  48.4  13.8     7.7  48.9  11.8    15.5  50.3  17.0
//
// A team that grows steadily is ahead of its forecast far out: nothing in its
// past says that the growth lasts.
package cadence
