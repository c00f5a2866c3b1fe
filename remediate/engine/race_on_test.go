//go:build race

package engine_test

// raceDetector says that everything takes many times longer.
const raceDetector = true
