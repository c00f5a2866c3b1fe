package lab

import (
	"errors"
	"syscall"
)

// errorWords are the words of the C library for error numbers (strerror(3)).
var errorWords = map[syscall.Errno]string{
	syscall.ENOENT:    "No such file or directory",
	syscall.EACCES:    "Permission denied",
	syscall.EPERM:     "Operation not permitted",
	syscall.EEXIST:    "File exists",
	syscall.ENOTDIR:   "Not a directory",
	syscall.EISDIR:    "Is a directory",
	syscall.ENOTEMPTY: "Directory not empty",
	syscall.EINVAL:    "Invalid argument",
	syscall.EBUSY:     "Device or resource busy",
	syscall.ESRCH:     "No such process",
	syscall.ELOOP:     "Too many levels of symbolic links",
	syscall.EFBIG:     "File too large",
}

// strerror is an error as the C library words it.
func strerror(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		if words, known := errorWords[number]; known {
			return words
		}
	}
	return err.Error()
}
