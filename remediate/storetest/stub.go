package storetest

import "testing"

func testLists(t *testing.T, open Open)       {}
func testBounds(t *testing.T, open Open)      {}
func testContext(t *testing.T, open Open)     {}
func testConcurrency(t *testing.T, open Open) {}
func testModel(t *testing.T, open Open)       {}
