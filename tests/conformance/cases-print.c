/* SPDX-License-Identifier: MIT */
/* cases-print.c - how an unrecovered panic's value is printed, type by type. */
#include "case.h"

#include <math.h>

#define VALUE(...) rt_panic_value((struct rt_value){ __VA_ARGS__ })

CASE(print_string, "builtin panic: a string is printed as it is", PANICS("boom"))
{
  rt_panic("boom");
}
CASE(print_empty_string, "builtin panic: also if it is empty", PANICS(""))
{
  rt_panic("");
}
CASE(print_lines, "runtime, error.go: lines after the first are indented by a tab",
     PANICS("one\n\ttwo\n\tthree"))
{
  rt_panic("one\ntwo\nthree");
}
CASE(print_int, "runtime, error.go: type int", PANICS_ERR("panic: 42"))
{
  VALUE(.type = "int", .i = 42);
}
CASE(print_negative_int, "runtime, error.go: type int, negative", PANICS("-7"))
{
  VALUE(.type = "int", .i = -7);
}
CASE(print_int64_min, "runtime, error.go: type int64, the smallest", PANICS("-9223372036854775808"))
{
  VALUE(.type = "int64", .i = INT64_MIN);
}
CASE(print_int8, "runtime, error.go: type int8", PANICS("-128"))
{
  VALUE(.type = "int8", .i = -128);
}
CASE(print_int32, "runtime, error.go: type int32 (rune)", PANICS("97"))
{
  VALUE(.type = "int32", .i = 'a');
}
CASE(print_uint, "runtime, error.go: type uint64, the largest", PANICS("18446744073709551615"))
{
  VALUE(.type = "uint64", .u = UINT64_MAX);
}
CASE(print_uint8, "runtime, error.go: type uint8 (byte)", PANICS("255"))
{
  VALUE(.type = "uint8", .u = 255);
}
CASE(print_uintptr, "runtime, error.go: type uintptr", PANICS("4096"))
{
  VALUE(.type = "uintptr", .u = 4096);
}
CASE(print_true, "runtime, error.go: type bool", PANICS("true"))
{
  VALUE(.type = "bool", .b = true);
}
CASE(print_false, "runtime, error.go: type bool", PANICS("false"))
{
  VALUE(.type = "bool", .b = false);
}
CASE(print_float, "runtime, error.go: type float64, the shortest digits that read back",
     PANICS("1.5"))
{
  VALUE(.type = "float64", .f = 1.5);
}
CASE(print_float_zero, "runtime, error.go: type float64, zero", PANICS("0"))
{
  VALUE(.type = "float64", .f = 0);
}
CASE(print_float_minus_zero, "runtime, error.go: type float64, minus zero", PANICS("-0"))
{
  VALUE(.type = "float64", .f = -0.0);
}
CASE(print_float_third, "runtime, error.go: type float64, 16 digits", PANICS("0.3333333333333333"))
{
  VALUE(.type = "float64", .f = 1.0 / 3);
}
CASE(print_float_large, "runtime, error.go: type float64, exponent", PANICS("1e+100"))
{
  VALUE(.type = "float64", .f = 1e100);
}
CASE(print_float_million, "runtime, error.go: type float64, where the exponent begins",
     PANICS("1e+06"))
{
  VALUE(.type = "float64", .f = 1000000);
}
CASE(print_float_seven_digits,
     "runtime, error.go: type float64, more digits than the exponent's limit",
     PANICS("1.234567e+06"))
{
  VALUE(.type = "float64", .f = 1234567);
}
CASE(print_float_small, "runtime, error.go: type float64, small", PANICS("1.25e-07"))
{
  VALUE(.type = "float64", .f = 1.25e-7);
}
CASE(print_float_thousandth, "runtime, error.go: type float64, not yet an exponent",
     PANICS("0.001"))
{
  VALUE(.type = "float64", .f = 0.001);
}
CASE(print_float_smallest, "runtime, error.go: type float64, the smallest", PANICS("5e-324"))
{
  VALUE(.type = "float64", .f = 4.9406564584124654e-324);
}
CASE(print_float_nan, "runtime, error.go: type float64, NaN", PANICS("NaN"))
{
  VALUE(.type = "float64", .f = NAN);
}
CASE(print_float_infinite, "runtime, error.go: type float64, infinite", PANICS("+Inf"))
{
  VALUE(.type = "float64", .f = INFINITY);
}
CASE(print_float_minus_infinite, "runtime, error.go: type float64, infinite", PANICS("-Inf"))
{
  VALUE(.type = "float64", .f = -INFINITY);
}
CASE(print_float32, "runtime, error.go: type float32, the shortest digits of a float32",
     PANICS("0.1"))
{
  VALUE(.type = "float32", .f = 0.1f);
}
CASE(print_error, "runtime, panic.go: an error prints its Error method's result",
     PANICS("it failed"))
{
  VALUE(.type = "error", .s = "it failed");
}
CASE(print_error_lines, "runtime, error.go: an error's lines are indented, too",
     PANICS("it\n\tfailed"))
{
  VALUE(.type = "error", .s = "it\nfailed");
}
CASE(print_pointer, "runtime, error.go: other types as (TYPE) ADDRESS",
     PANICS("(*main.thing) 0xADDR"))
{
  static int thing;
  VALUE(.type = "*main.thing", .p = &thing);
}
CASE(print_struct, "runtime, error.go: other types as (TYPE) ADDRESS", PANICS("(main.pair) 0xADDR"))
{
  static struct {
    int a, b;
  } pair = { 1, 2 };
  VALUE(.type = "main.pair", .p = &pair);
}
CASE(print_named_int, "runtime, error.go: a named basic type as TYPE(value)",
     PANICS("main.count(3)"))
{
  VALUE(.type = "main.count", .kind = RT_KIND_INT, .i = 3);
}
CASE(print_named_string, "runtime, error.go: a named string as TYPE(\"value\")",
     PANICS("main.text(\"boom\")"))
{
  VALUE(.type = "main.text", .kind = RT_KIND_STRING, .s = "boom");
}
CASE(print_named_string_lines, "runtime, error.go: a named string's lines are indented",
     PANICS("main.text(\"a\n\tb\")"))
{
  VALUE(.type = "main.text", .kind = RT_KIND_STRING, .s = "a\nb");
}
CASE(print_named_bool, "runtime, error.go: a named bool", PANICS("main.flag(true)"))
{
  VALUE(.type = "main.flag", .kind = RT_KIND_BOOL, .b = true);
}
CASE(print_named_uint, "runtime, error.go: a named uint", PANICS("main.size(9)"))
{
  VALUE(.type = "main.size", .kind = RT_KIND_UINT, .u = 9);
}
CASE(print_named_float, "runtime, error.go: a named float64", PANICS("main.ratio(0.25)"))
{
  VALUE(.type = "main.ratio", .kind = RT_KIND_FLOAT, .f = 0.25);
}
CASE(print_nil, "spec, Handling panics: panic(nil) is a *runtime.PanicNilError",
     PANICS("panic called with nil argument"))
{
  VALUE(.type = NULL);
}
