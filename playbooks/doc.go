// Package playbooks holds what is known about removing products: a format in
// YAML, a library of playbooks that ships with oust, the matching of facts
// against them, and the rendering of scripts that remove what was found.
//
// A playbook is one file, one product. It says how the product is recognised
// ([Sign]), the typed steps that remove it ([Step]), what it leaves behind
// ([Residue]), and where each of these claims comes from ([Source]). Loading
// is strict: an unknown key, a path that is not the product's own or a claim
// without a source is an error with file, line and column.
//
// Matching reads facts and nothing else. Rendering is deterministic: the same
// facts, playbooks and settings give the same bytes, and nothing that differs
// between hosts without need (a version, a host name, a time) goes into a
// script, so that a fleet shares few distinct scripts.
package playbooks
