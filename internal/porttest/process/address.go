package process

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
)

// Ports of addresses: below those that systems give to who asks for any, connections to elsewhere among them.
const firstPort, ports = 10_000, 20_000

// portsEach is how far apart two processes begin whose numbers follow one another.
const portsEach = 256

var taken atomic.Uint32

// Address returns a free address for a server that is told where to listen, and may be ended and started again there: nobody else gets
// its port meanwhile.
func Address() (string, error) {
	for {
		n := taken.Add(1)
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+(uint32(os.Getpid())*portsEach+n)%ports)
		l, err := net.Listen("tcp", address)
		if err == nil {
			return address, l.Close()
		}
		if n > ports {
			return "", err
		}
	}
}
