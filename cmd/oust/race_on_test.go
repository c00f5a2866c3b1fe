//go:build race

package main

// raceDetector says that everything takes many times longer.
const raceDetector = true
