//go:build !linux

package onnx

func trim() {}
