//go:build !race

package sqlite_test

// raceDetector says that everything takes many times longer.
const raceDetector = false
