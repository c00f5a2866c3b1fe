// Package report tells a campaign to those who gave its mandate. All formats
// are drawn from one Snapshot, so that their numbers agree: JSON is the
// snapshot itself, CSV its hosts, HTML and OSCAL what people and other tools
// read.
package report
