/* Elementary functions whose bits do not depend on the machine. glibc picks variants with and
 * without fused multiply-add at run time, and they differ in the last bit; these are built of
 * + - * / and integer work only, so that with -ffp-contract=off every machine gets the same bytes.
 * Errors against the true value, as the tests measure them: below 1 unit in the last place for log
 * and exp, below 2 for the others. Special values follow C17 Annex F. */
#ifndef ORRERY_KERNEL_ARITHMETIC_H
#define ORRERY_KERNEL_ARITHMETIC_H

#include <stdint.h>
#include <string.h>

#define ARITHMETIC_PI 3.14159265358979323846

/* The IEEE 754 bits of `x`, and back. For x >= 0 the bits order as the values do. */
static inline uint64_t arithmetic_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double arithmetic_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Square root, correctly rounded by IEEE 754 (one instruction). NaN below 0. */
static inline double arithmetic_sqrt(double x)
{
    return x >= 0 ? __builtin_sqrt(x) : __builtin_nan("");
}

/* Natural logarithm: -INFINITY at 0, NaN below. */
double arithmetic_log(double x);

/* e^x: INFINITY above 709.78, 0 below -745.13, gradual underflow in between. */
double arithmetic_exp(double x);

/* log(1 + x) and e^x - 1 without loss of digits near 0. */
double arithmetic_log1p(double x);
double arithmetic_expm1(double x);

/* x^y for x >= 0; NaN for x < 0, whatever y (no caller has a negative base). */
double arithmetic_pow(double x, double y);

#endif
