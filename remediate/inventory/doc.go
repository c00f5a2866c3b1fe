// Package inventory reads the files that say which hosts there are.
package inventory
