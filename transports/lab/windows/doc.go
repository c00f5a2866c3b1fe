// Package windows simulates Windows machines: a registry, the programs that a
// script for cmd.exe calls (reg, schtasks, sc, msiexec and others), scheduled
// tasks that outlive a shell, services, and products with their uninstallers.
// cmd itself is another package's work; it reaches a machine through
// Host.Session.
//
// What programs print and return follows Microsoft's documents and recordings
// of real machines, in English. A program that is not simulated is not found.
package windows
