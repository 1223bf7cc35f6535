package planted

import (
	"os"
	"testing"
)

func FuzzBytes(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) { Parse(data) })
}

func FuzzText(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		if text == "it fails" {
			t.Log("nearly")
			t.Fatalf("no such text: %q", text)
		}
	})
}

func FuzzPair(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, number int) {
		if text == "seven" && number == 7 {
			t.Fatal("a pair of seven")
		}
	})
}

// FuzzBeside needs a file that lies beside the binary.
func FuzzBeside(f *testing.F) {
	if _, err := os.ReadFile("testdata/words.txt"); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {})
}

// FuzzSteady has no bug, for measurements of speed.
func FuzzSteady(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		sum := byte(0)
		for _, one := range data {
			sum = sum*31 + one
		}
		if len(data) > 4 && data[0] == 'S' && data[1] == 'T' {
			rounds += int(sum)
		}
	})
}
