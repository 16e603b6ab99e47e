package cadence

import "math"

// incompleteBeta is the regularised incomplete beta function I_x(a, b): how
// likely a beta variable is below x. It is the continued fraction of
// Abramowitz and Stegun 26.5.8, by Lentz's method.
func incompleteBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(1-x, b, a)
	}
	return math.Exp(logKernel(x, a, b)) * continued(x, a, b) / a
}

// logKernel is the logarithm of x^a (1-x)^b / B(a, b).
func logKernel(x, a, b float64) float64 {
	return a*math.Log(x) + b*math.Log1p(-x) - logBeta(a, b)
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}

func continued(x, a, b float64) float64 {
	const tiny, enough, most = 1e-300, 1e-10, 500
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	h := d
	for i := 1.0; i < most; i++ {
		even := i * (b - i) * x / ((a + 2*i - 1) * (a + 2*i))
		d = 1 / away(1+even*d)
		c = away(1 + even/c)
		h *= d * c
		odd := -(a + i) * (a + b + i) * x / ((a + 2*i) * (a + 2*i + 1))
		d = 1 / away(1+odd*d)
		c = away(1 + odd/c)
		h *= d * c
		if math.Abs(d*c-1) < enough {
			break
		}
	}
	return h
}
