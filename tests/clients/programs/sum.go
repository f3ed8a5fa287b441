package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
)

func read(path string) []byte {
	bytes, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return bytes
}

func main() {
	npy := read(os.Args[1] + "/lat.npy")
	values := npy[10+int(binary.LittleEndian.Uint16(npy[8:])):]
	sum := 0.0
	for i := 0; i < len(values); i += 8 {
		sum += math.Float64frombits(binary.LittleEndian.Uint64(values[i:]))
	}
	distinct := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSuffix(string(read(os.Args[1]+"/tzone.txt")), "\n"), "\n") {
		distinct[line] = true
	}
	fmt.Printf("%d %.6f %d\n", len(values)/8, sum, len(distinct))
}
