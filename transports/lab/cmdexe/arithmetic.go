package cmdexe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var (
	errOperand = errors.New("Missing operand.")                                              //nolint:staticcheck,revive // Windows' own words
	errDivide  = errors.New("Divide by zero error.")                                         //nolint:staticcheck,revive // Windows' own words
	errNumber  = errors.New("Invalid number.  Numbers are limited to 32-bits of precision.") //nolint:staticcheck,revive // Windows' own words
)

// setNumber is SET /A.
func (s *session) setNumber(t string) int {
	e := &sum{s: s, t: strings.ReplaceAll(t, `"`, "")}
	v, err := e.comma()
	if err == nil && e.next() != 0 {
		err = errOperand
	}
	switch {
	case errors.Is(err, errDivide):
		return s.fail(1073750993, err.Error())
	case errors.Is(err, errNumber):
		return s.fail(1073750992, err.Error())
	case err != nil:
		return s.fail(1073750988, err.Error())
	}
	if s.frame == nil {
		fmt.Fprint(s.out, v)
	}
	return 0
}

// sum evaluates an expression of 32-bit numbers.
type sum struct {
	s    *session
	t    string
	pos  int
	deep int
}

func (e *sum) next() byte {
	for e.pos < len(e.t) && (e.t[e.pos] == ' ' || e.t[e.pos] == '\t') {
		e.pos++
	}
	if e.pos < len(e.t) {
		return e.t[e.pos]
	}
	return 0
}

func (e *sum) comma() (int32, error) {
	v, err := e.assign()
	for err == nil && e.next() == ',' {
		e.pos++
		v, err = e.assign()
	}
	return v, err
}

// name reads a variable's name.
func (e *sum) name() string {
	e.next()
	start := e.pos
	for e.pos < len(e.t) && strings.IndexByte(" \t,;=()+-*/%&|^<>!~", e.t[e.pos]) < 0 {
		e.pos++
	}
	return e.t[start:e.pos]
}

func (e *sum) assign() (int32, error) {
	if e.deep++; e.deep > maxDepth {
		return 0, errOperand
	}
	defer func() { e.deep-- }()
	start := e.pos
	name := e.name()
	e.next()
	for _, op := range []string{"=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "<<=", ">>="} {
		if name == "" || name[0] >= '0' && name[0] <= '9' || !strings.HasPrefix(e.t[e.pos:], op) {
			continue
		}
		e.pos += len(op)
		v, err := e.assign()
		if err == nil && op != "=" {
			v, err = apply(op[:len(op)-1], e.value(name), v)
		}
		if err == nil {
			e.s.set(name, strconv.Itoa(int(v)))
		}
		return v, err
	}
	e.pos = start
	return e.binary(0)
}

func (e *sum) value(name string) int32 {
	v, _ := e.s.get(name)
	n, _ := strconv.ParseInt(strings.TrimSpace(v), 0, 32)
	return int32(n)
}

// ranks are the operators from the loosest to the tightest.
var ranks = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}}

func (e *sum) binary(rank int) (int32, error) {
	if rank == len(ranks) {
		return e.unary()
	}
	v, err := e.binary(rank + 1)
again:
	e.next()
	for _, op := range ranks[rank] {
		if err == nil && strings.HasPrefix(e.t[e.pos:], op) {
			e.pos += len(op)
			var w int32
			if w, err = e.binary(rank + 1); err == nil {
				v, err = apply(op, v, w)
			}
			goto again
		}
	}
	return v, err
}

func (e *sum) unary() (int32, error) {
	if e.deep++; e.deep > maxDepth {
		return 0, errOperand
	}
	defer func() { e.deep-- }()
	switch c := e.next(); c {
	case '-', '~', '!', '+':
		e.pos++
		v, err := e.unary()
		switch {
		case c == '-':
			v = -v
		case c == '~':
			v = ^v
		case c == '!' && v == 0:
			v = 1
		case c == '!':
			v = 0
		}
		return v, err
	case '(':
		e.pos++
		v, err := e.comma()
		if err == nil && e.next() != ')' {
			err = errOperand
		}
		e.pos++
		return v, err
	}
	word := e.name()
	switch {
	case word == "":
		return 0, errOperand
	case word[0] >= '0' && word[0] <= '9':
		n, err := strconv.ParseInt(word, 0, 32)
		if err != nil {
			return 0, errNumber
		}
		return int32(n), nil
	}
	return e.value(word), nil
}

func apply(op string, a, b int32) (int32, error) {
	switch op {
	case "|":
		return a | b, nil
	case "^":
		return a ^ b, nil
	case "&":
		return a & b, nil
	case "<<":
		return a << (uint32(b) & 31), nil
	case ">>":
		return a >> (uint32(b) & 31), nil
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	}
	if b == 0 {
		return 0, errDivide
	}
	if op == "/" {
		return int32(int64(a) / int64(b)), nil
	}
	return int32(int64(a) % int64(b)), nil
}
