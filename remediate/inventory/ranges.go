package inventory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// addPattern puts the hosts of a pattern such as web[01:20].example.org:2222
// into a group. As in Ansible, the port holds for hosts that are new.
func (a *ansible) addPattern(r *report, at Place, g *group, pattern string, vars []variable) {
	if !a.hasRoom(r, at) {
		return // before a range takes time
	}
	name, port := splitPort(pattern)
	if strings.HasSuffix(pattern, ":") && !strings.HasSuffix(pattern, "::") {
		r.problem(at, "host %q ends in ':'; a port is missing", cut(pattern))
		return
	}
	names, err := expandRange(name, a.max.hosts)
	if err != nil {
		r.problem(at, "host %q: %v", cut(pattern), err)
		return
	}
	for _, n := range names {
		_, known := a.hosts[n]
		h := a.addHost(r, at, g, n)
		if h == nil {
			return
		}
		if port != "" && !known {
			h.vars = put(h.vars, variable{id: partPort, value: value{text: port}, place: at})
		}
		for _, v := range vars {
			a.setHost(r, h, v)
		}
	}
}

// expandRange writes out ranges in brackets: [1:20], [01:20], [a:f], and with
// a step, [0:100:10], to at most so many names (ansible/plugins/inventory/__init__.py,
// expand_hostname_range). A name without brackets stands for itself.
func expandRange(pattern string, most int) ([]string, error) {
	done, rest := []string{""}, pattern
	for {
		head, after, found := strings.Cut(rest, "[")
		if !found {
			return appendAll(done, []string{rest}, most)
		}
		inner, tail, closed := strings.Cut(after, "]")
		if !closed {
			return nil, errors.New("a range that is not closed by ]")
		}
		steps, err := rangeSteps(inner, most)
		if err != nil {
			return nil, fmt.Errorf("[%s]: %w", cut(inner), err)
		}
		for i := range steps {
			steps[i] = head + steps[i]
		}
		if done, err = appendAll(done, steps, most); err != nil {
			return nil, err
		}
		rest = tail
	}
}

// appendAll joins each text with each end, in order.
func appendAll(texts, ends []string, most int) ([]string, error) {
	if len(texts)*len(ends) > most {
		return nil, fmt.Errorf("ranges of more than %d hosts", most)
	}
	if len(ends) == 1 && ends[0] == "" {
		return texts, nil
	}
	out := make([]string, 0, len(texts)*len(ends))
	for _, t := range texts {
		for _, e := range ends {
			out = append(out, t+e)
		}
	}
	return out, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// rangeSteps are the texts that begin:end or begin:end:step stands for.
func rangeSteps(inner string, most int) ([]string, error) {
	parts := strings.Split(inner, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return nil, errors.New("a range is [begin:end] or [begin:end:step]")
	}
	begin, end, step := parts[0], parts[1], 1
	if begin == "" {
		begin = "0"
	}
	if len(parts) == 3 {
		var err error
		if step, err = strconv.Atoi(parts[2]); err != nil || step < 1 {
			return nil, errors.New("the step of a range is a number from 1")
		}
	}
	from, to, err := bounds(begin, end)
	if err != nil {
		return nil, err
	}
	if from > to {
		return nil, errors.New("a range that ends before it begins")
	}
	if (to-from)/step >= most {
		return nil, fmt.Errorf("a range of more than %d hosts", most)
	}
	out := make([]string, 0, (to-from)/step+1)
	for i := from; i <= to; i += step {
		switch {
		case isLetter(begin):
			out = append(out, letters[i:i+1])
		case begin[0] == '0' && len(begin) > 1:
			out = append(out, fmt.Sprintf("%0*d", len(begin), i))
		default:
			out = append(out, strconv.Itoa(i))
		}
	}
	return out, nil
}

func isLetter(s string) bool { return len(s) == 1 && strings.Contains(letters, s) }

// bounds reads begin and end, as letters or as numbers.
func bounds(begin, end string) (from, to int, err error) {
	const digits = 9
	switch {
	case isLetter(begin) && isLetter(end):
		return strings.Index(letters, begin), strings.Index(letters, end), nil
	case strings.Trim(begin+end, "0123456789") != "" || end == "":
		return 0, 0, errors.New("a range goes from a number to a number, or from a letter to a letter")
	case begin[0] == '0' && len(begin) > 1 && len(begin) != len(end):
		return 0, 0, errors.New("begin and end of a range with leading zeros have the same length")
	case len(begin) > digits || len(end) > digits:
		return 0, 0, fmt.Errorf("numbers of more than %d digits", digits)
	}
	from, err = strconv.Atoi(begin)
	if err == nil {
		to, err = strconv.Atoi(end)
	}
	return from, to, err
}
