package remediate

// Nearest returns the known name that is closest to what somebody typed, or
// "" when none is close enough to be meant: at most a third of the longer
// name's letters differ (insertions, deletions, substitutions, swaps).
func Nearest(typed string, known []string) string {
	const mostRunes = 64
	if len(typed) > 4*mostRunes {
		return ""
	}
	best, bestDist := "", int(^uint(0)>>1)
	for _, k := range known {
		d := editDistance([]rune(typed), []rune(k))
		if d < bestDist && d*3 <= max(len([]rune(typed)), len([]rune(k))) {
			best, bestDist = k, d
		}
	}
	return best
}

// editDistance is the optimal string alignment distance.
func editDistance(a, b []rune) int {
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
