// Package cmdexe runs the scripts of cmd.exe, the command interpreter of
// Windows, against a file system, programs and a clock that its caller gives:
// the shell of the lab's simulated Windows hosts. It starts no process and
// opens no file of the machine that it runs on.
//
// What it does follows the documented behaviour of cmd.exe of Windows 10 with
// command extensions: the phases of a line (percent signs, then carets, quotes
// and operators, then the variables of FOR, then exclamation marks), the
// builtins, their exit codes and their words in English.
package cmdexe
