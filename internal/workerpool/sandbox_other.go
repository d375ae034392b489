//go:build !linux

package workerpool

// confine takes from this process what a worker does not need, where the system offers that.
func confine([]string, int64) (missing []string, err error) {
	return []string{"everything: workers are confined on Linux only"}, nil
}
