package members

import (
	"bufio"
	"bytes"
)

func dictionaryOf(in []byte) int64 { return dictionary(bufio.NewReader(bytes.NewReader(in))) }
