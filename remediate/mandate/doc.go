// Package mandate reads what must go and by when: mandates as YAML, those that
// are built in and files of a person's own.
package mandate
