package strictyaml

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"oust/remediate"
)

// conform compares a value with the type that it is read into. The decoder
// after it refuses nearly the same, but in words of Go, with any key of the
// file as the nearest one, and reads 1.9 into an integer as 1.
func conform(file string, n ast.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		if readsItself(t) {
			return nil
		}
		t = t.Elem()
	}
	if n == nil || n.Type() == ast.NullType || readsItself(reflect.PointerTo(t)) {
		return nil
	}
	want := func(ok bool, what string) error {
		if ok {
			return nil
		}
		return at(file, n.GetToken(), "want "+what)
	}
	pairs, isMap := pairsOf(n)
	list, isList := n.(*ast.SequenceNode)
	switch t.Kind() {
	case reflect.Struct:
		if !isMap {
			return want(false, "keys and values, one of "+strings.Join(keysOf(t), ", "))
		}
		return conformStruct(file, pairs, t)
	case reflect.Map:
		if !isMap {
			return want(false, "keys and values")
		}
		return conformMap(file, pairs, t)
	case reflect.Slice, reflect.Array:
		if !isList {
			return want(false, "a list, as in [a, b]")
		}
		return conformList(file, list, t.Elem())
	case reflect.String:
		return want(!isMap && !isList, "one word or line of text")
	case reflect.Bool:
		return want(n.Type() == ast.BoolType, "true or false")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return want(t == reflect.TypeFor[time.Duration]() || whole(n), "a whole number")
	}
	return nil
}

// readsItself reports whether values of a pointer's type have a method that
// reads them: these say themselves what they want.
func readsItself(pointer reflect.Type) bool {
	_, yaml := pointer.MethodByName("UnmarshalYAML")
	return yaml || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// whole reports whether a node is an integer in decimal digits that fits into
// an int: 0x10 and 017 are slips of the pen in the files that people write.
func whole(n ast.Node) bool {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return false
	}
	switch v := i.Value.(type) {
	case int64:
		return fmt.Sprint(v) == i.GetToken().Value
	case uint64:
		return v <= math.MaxInt64 && fmt.Sprint(v) == i.GetToken().Value
	}
	return false
}

// pairsOf returns the keys and values of a mapping.
func pairsOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func conformStruct(file string, pairs []*ast.MappingValueNode, t reflect.Type) error {
	known := fieldsOf(t)
	for _, p := range pairs {
		key := p.Key.GetToken()
		field, ok := known[key.Value]
		if !ok {
			return at(file, key, unknownKey(key.Value, keysOf(t)))
		}
		if err := conform(file, p.Value, field); err != nil {
			return err
		}
	}
	return nil
}

func unknownKey(key string, known []string) string {
	const most = 64
	if r := []rune(key); len(r) > most {
		key = string(r[:most]) + "..."
	}
	if near := remediate.Nearest(key, known); near != "" {
		return fmt.Sprintf("unknown key %q; did you mean %q?", key, near)
	}
	return fmt.Sprintf("unknown key %q; known here: %s", key, strings.Join(known, ", "))
}

func conformMap(file string, pairs []*ast.MappingValueNode, t reflect.Type) error {
	for _, p := range pairs {
		if err := conform(file, p.Key, t.Key()); err != nil {
			return err
		}
		if err := conform(file, p.Value, t.Elem()); err != nil {
			return err
		}
	}
	return nil
}

func conformList(file string, list *ast.SequenceNode, elem reflect.Type) error {
	for _, v := range list.Values {
		if err := conform(file, v, elem); err != nil {
			return err
		}
	}
	return nil
}

// fieldsOf are the types of a struct's fields by their key.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			out[name] = f.Type
		}
	}
	return out
}

// keysOf are the keys of a struct in the order of its fields.
func keysOf(t reflect.Type) []string {
	var out []string
	known := fieldsOf(t)
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if _, ok := known[name]; ok && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
