// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"math"
)

type (
	thing int
	pair  struct{ a, b int }
	count int
	text  string
	flag  bool
	size  uint
	ratio float64
)

func init() {
	values := map[string]any{
		"print_string":               "boom",
		"print_empty_string":         "",
		"print_lines":                "one\ntwo\nthree",
		"print_int":                  42,
		"print_negative_int":         -7,
		"print_int64_min":            int64(math.MinInt64),
		"print_int8":                 int8(-128),
		"print_int32":                'a',
		"print_uint":                 uint64(math.MaxUint64),
		"print_uint8":                uint8(255),
		"print_uintptr":              uintptr(4096),
		"print_true":                 true,
		"print_false":                false,
		"print_float":                1.5,
		"print_float_zero":           0.0,
		"print_float_minus_zero":     math.Copysign(0, -1),
		"print_float_third":          1.0 / 3,
		"print_float_large":          1e100,
		"print_float_million":        1e6,
		"print_float_seven_digits":   1234567.0,
		"print_float_small":          1.25e-7,
		"print_float_thousandth":     0.001,
		"print_float_smallest":       math.SmallestNonzeroFloat64,
		"print_float_nan":            math.NaN(),
		"print_float_infinite":       math.Inf(1),
		"print_float_minus_infinite": math.Inf(-1),
		"print_float32":              float32(0.1),
		"print_error":                errors.New("it failed"),
		"print_error_lines":          errors.New("it\nfailed"),
		"print_pointer":              new(thing),
		"print_struct":               pair{1, 2},
		"print_named_int":            count(3),
		"print_named_string":         text("boom"),
		"print_named_string_lines":   text("a\nb"),
		"print_named_bool":           flag(true),
		"print_named_uint":           size(9),
		"print_named_float":          ratio(0.25),
		"print_nil":                  nil,
	}
	for name, value := range values {
		register(table{name: func() { panic(value) }})
	}
}
