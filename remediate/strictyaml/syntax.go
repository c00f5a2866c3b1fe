package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/parser"
)

// Syntax tells whether text is YAML at all. Its errors are of type *Error;
// anchors, tags and further documents are none. Files over DefaultLimit are
// refused.
func Syntax(file string, data []byte) error {
	text, err := checkText(file, data)
	switch {
	case err != nil:
		return err
	case len(data) > DefaultLimit:
		return &Error{File: file, Msg: fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), DefaultLimit)}
	case deepest(text) > maxDepth:
		return &Error{File: file, Msg: fmt.Sprintf("values are nested deeper than %d", maxDepth)}
	}
	if _, err := parser.ParseBytes(text, 0); err != nil {
		return explain(file, text, err)
	}
	return nil
}
