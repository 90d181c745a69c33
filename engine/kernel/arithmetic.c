/* log and exp use the argument reductions and minimax polynomials of fdlibm (Sun Microsystems 1993,
 * e_log.c, e_exp.c; freely distributable). pow is our own: the logarithm as an unevaluated sum of
 * two doubles (T. J. Dekker, A floating-point technique for extending the available precision,
 * Numerische Mathematik 18, 1971), multiplied by y, then exp. */
#include "engine/kernel/arithmetic.h"

#include <math.h>

/* ln 2 in two parts: 32 bits (so that any exponent times it is exact) and the rest. */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define SQRT_HALF_BITS UINT64_C(0x3FE6A09E667F3BCD)
#define ONE_BITS UINT64_C(0x3FF0000000000000)

struct pair {
    double high, low; /* the value is high + low, |low| <= half an ulp of high */
};

/* Splits a finite x > 0 into 2^exponent * m with sqrt(1/2) <= m < sqrt(2); returns m. */
static double split_exponent(double x, int *exponent)
{
    int extra = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        extra = -54;
    }
    uint64_t shifted = arithmetic_bits(x) + (ONE_BITS - SQRT_HALF_BITS);
    *exponent = (int)(shifted >> 52) - 1023 + extra;
    return arithmetic_from_bits((shifted & UINT64_C(0x000FFFFFFFFFFFFF)) + SQRT_HALF_BITS);
}

/* k ln 2 + log(1 + f) + correction, for sqrt(1/2) <= 1 + f < sqrt(2). */
static double log_of_parts(double f, int exponent, double correction)
{
    double k = (double)exponent;
    double s = f / (2.0 + f);
    double z = s * s;
    double w = z * z;
    double even = w * (3.999999999940941908e-01 +
                       w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double odd = z * (6.666666666666735130e-01 +
                      w * (2.857142874366239149e-01 +
                           w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double half_square = 0.5 * f * f;
    return s * (half_square + even + odd) + (k * LN2_LOW + correction) - half_square + f +
           k * LN2_HIGH;
}

double arithmetic_log(double x)
{
    if (!(x > 0))
        return x == 0 ? -INFINITY : NAN;
    if (x == INFINITY)
        return x;
    int exponent;
    double f = split_exponent(x, &exponent) - 1.0;
    return log_of_parts(f, exponent, 0.0);
}

double arithmetic_log1p(double x)
{
    if (!(x > -1))
        return x == -1 ? -INFINITY : NAN;
    if (x == INFINITY)
        return x;
    if (x > -0.29 && x < 0.41)
        return x > -1e-17 && x < 1e-17 ? x : log_of_parts(x, 0, 0.0);
    double u = 1.0 + x;
    double lost = u > 2.0 ? 1.0 - (u - x) : x - (u - 1.0); /* what 1 + x rounded away */
    int exponent;
    double f = split_exponent(u, &exponent) - 1.0;
    return log_of_parts(f, exponent, lost / u);
}

/* x * 2^k for x near 1, in two steps where one power of two would overflow or be subnormal. */
static double scale(double x, int k)
{
    if (k > 1023) {
        x *= 0x1p1023;
        k -= 1023;
    } else if (k < -1022) {
        x *= 0x1p-969; /* 53 bits above the subnormals: the one rounding is the last step's */
        k += 969;
        if (k < -1022)
            return 0.0;
    }
    return x * arithmetic_from_bits((uint64_t)(k + 1023) << 52);
}

/* The rational part of e^x = 1 + x + rational, |x| <= 0.35, where x = high - low. */
static double exp_tail(double x)
{
    double xx = x * x;
    double c =
        x -
        xx * (1.66666666666666019037e-01 +
              xx * (-2.77777777770155933842e-03 +
                    xx * (6.61375632143793436117e-05 +
                          xx * (-1.65339022054652515390e-06 + xx * 4.13813679705723846039e-08))));
    return x * c / (2.0 - c);
}

/* e^r - 1 for the remainder r, |r| <= 0.35, of x + low = k ln 2 + r; sets k. */
static double exp_reduced(double x, double low, int *k)
{
    *k = (int)(x * 1.44269504088896338700 + (x < 0 ? -0.5 : 0.5));
    double high = x - *k * LN2_HIGH;
    double rest = *k * LN2_LOW - low;
    return exp_tail(high - rest) - rest + high;
}

/* exp(x + low) for |low| below an ulp of x. */
static double exp_of_pair(double x, double low)
{
    if (x > 709.79)
        return INFINITY;
    if (x < -745.14)
        return 0.0;
    if (x != x)
        return x;
    int k;
    double less_one = exp_reduced(x, low, &k);
    return scale(1.0 + less_one, k);
}

double arithmetic_exp(double x)
{
    return exp_of_pair(x, 0.0);
}

double arithmetic_expm1(double x)
{
    if (x > -0.34 && x < 0.34)
        return x + exp_tail(x);
    if (!(x > -40 && x < 40))
        return arithmetic_exp(x) - 1.0;
    int k;
    double less_one = exp_reduced(x, 0.0, &k);
    return scale(less_one + (1.0 - scale(1.0, -k)), k);
}

static struct pair quick_sum(double a, double b)
{
    double sum = a + b;
    return (struct pair){sum, b - (sum - a)};
}

static struct pair exact_sum(double a, double b)
{
    double sum = a + b;
    double part = sum - a;
    return (struct pair){sum, (a - (sum - part)) + (b - part)};
}

/* a * b exactly (Dekker's product with Veltkamp's splitting; needs |a|, |b| < 2^990). */
static struct pair exact_product(double a, double b)
{
    double t = 0x8000001p0 * a, a_high = t - (t - a), a_low = a - a_high;
    double u = 0x8000001p0 * b, b_high = u - (u - b), b_low = b - b_high;
    double product = a * b;
    double error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    return (struct pair){product, error};
}

static struct pair pair_product(struct pair a, struct pair b)
{
    struct pair p = exact_product(a.high, b.high);
    return quick_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

/* log x to about 2^-64 relative, from 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ..), s = f/(2+f): the
 * first two terms in double precision squared, the others need one double only. */
static struct pair log_pair(double x)
{
    int exponent;
    double f = split_exponent(x, &exponent) - 1.0;
    struct pair below = exact_sum(2.0, f);
    double s_high = f / below.high;
    struct pair back = exact_product(s_high, below.high);
    struct pair s =
        quick_sum(s_high, ((f - back.high) - back.low - s_high * below.low) / below.high);
    struct pair z = pair_product(s, s);
    struct pair third = {1.0 / 3.0, 0x1p-54 / 3.0}; /* 1/3 rounds down by exactly 2^-54 / 3 */
    struct pair cubic = pair_product(pair_product(s, z), third);
    double series = 0.0;
    for (int n = 27; n >= 5; n -= 2)
        series = series * z.high + 1.0 / n;
    double rest = s.high * z.high * z.high * series;
    struct pair sum = exact_sum(s.high, cubic.high);
    sum = quick_sum(sum.high, sum.low + (s.low + cubic.low + rest));
    double k = (double)exponent;
    struct pair whole = exact_sum(k * LN2_HIGH, 2.0 * sum.high);
    return quick_sum(whole.high, whole.low + (2.0 * sum.low + k * LN2_LOW));
}

double arithmetic_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1.0;
    if (x < 0 || x != x || y != y)
        return NAN;
    if (x == 0 || y == INFINITY || y == -INFINITY || x == INFINITY) {
        int grows = x > 1 ? y > 0 : y < 0;
        return grows ? INFINITY : 0.0;
    }
    struct pair l = log_pair(x);
    double estimate = y * l.high;
    if (estimate > 800 || estimate < -800 || y > 1e270 || y < -1e270)
        return exp_of_pair(estimate, 0.0);
    struct pair p = exact_product(y, l.high);
    return exp_of_pair(p.high, p.low + y * l.low);
}
