// Package planted has three bugs behind a few bytes.
package planted

var rounds int

func tooDeep() { panic("planted: too deep") }

func spin() {
	for {
		rounds++
	}
}

// Parse panics for "FUZ…" and hangs for "SPIN".
func Parse(data []byte) {
	if len(data) > 2 && data[0] == 'F' && data[1] == 'U' && data[2] == 'Z' {
		tooDeep()
	}
	if string(data) == "SPIN" {
		spin()
	}
}
