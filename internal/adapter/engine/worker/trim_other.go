//go:build !linux

package worker

func trim() {}
