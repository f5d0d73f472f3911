package codec

import (
	"encoding/xml"
	"math/rand/v2"
	"reflect"
	"testing"
)

// A run spends its time on finding instead of shortening with -fuzzminimizetime 20x.

// fuzzRoots are the root elements in the order that a fuzzer's number picks them.
var fuzzRoots = []string{"domain", "network", "networkport"}

func FuzzDecode(f *testing.F) {
	for _, s := range samples(f) {
		if len(s.src) < 4000 {
			f.Add(s.src)
		}
	}
	for seed := range uint64(50) {
		_, v := randomValue(seed)
		src, err := encodeAny(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, root := range fuzzRoots {
			v, report, err := decoders[root](src)
			if err != nil {
				continue
			}
			report.Omissions()
			if isFree(src) {
				sameDecoding(t, root, src)
			}
			values, ok, err := compareAny(src, v)
			if err != nil || !ok || len(values) > 0 {
				t.Errorf("differs from itself: %+v, %v", values, err)
			}
		}
	})
}

func FuzzEncode(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, "text", int64(1))
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string, number int64) {
		_, v := randomValue(seed)
		r := rand.New(rand.NewPCG(seed, 1))
		leavesOf(reflect.ValueOf(v), func(l reflect.Value) {
			if r.IntN(4) > 0 {
				return
			}
			switch l.Kind() {
			case reflect.String:
				l.SetString(text)
			case reflect.Int, reflect.Int64:
				l.SetInt(number)
			default:
				l.SetUint(uint64(number))
			}
		})
		want, wantErr := xml.MarshalIndent(v, "", "  ")
		got, gotErr := encodeAny(v)
		if (wantErr == nil) != (gotErr == nil) || string(want) != string(got) {
			t.Errorf("want %s, %v\ngot  %s, %v", want, wantErr, got, gotErr)
		}
	})
}
