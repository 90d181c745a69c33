#include "engine/kernel/special.h"

#include "engine/kernel/arithmetic.h"

#include <math.h>

/* Stirling's series (DLMF 5.11.1) from 12 up, the recurrence Gamma(a + 1) = a Gamma(a) below. */
double special_log_gamma(double a)
{
    if (!(a > 0))
        return a == 0 ? INFINITY : NAN;
    double product = 1.0;
    while (a < 12.0) {
        product *= a;
        a += 1.0;
    }
    double r = 1.0 / (a * a);
    double series =
        (1.0 / 12 +
         r * (-1.0 / 360 +
              r * (1.0 / 1260 + r * (-1.0 / 1680 + r * (1.0 / 1188 - r * 691.0 / 360360))))) /
        a;
    double half_log_two_pi = 0.91893853320467274178;
    return (a - 0.5) * arithmetic_log(a) - a + half_log_two_pi + series - arithmetic_log(product);
}

/* x^a e^-x / Gamma(a + 1). For large a through the relative distance of x from a, since the three
 * logarithms would cancel; the log1p form loses nothing near x = a. */
static double gamma_front(double a, double x)
{
    if (a < 12.0)
        return arithmetic_exp(a * arithmetic_log(x) - x - special_log_gamma(a + 1.0));
    double r = 1.0 / (a * a);
    double series = (1.0 / 12 + r * (-1.0 / 360 + r * (1.0 / 1260 - r / 1680))) / a;
    double away = (x - a) / a;
    double exponent = a * (arithmetic_log1p(away) - away);
    return arithmetic_exp(exponent - series) / arithmetic_sqrt(2.0 * ARITHMETIC_PI * a);
}

/* P by its power series (DLMF 8.11.4), good for x < a + 1. */
static double gamma_series(double a, double x)
{
    double term = 1.0, sum = 1.0;
    for (double n = a + 1.0; term > sum * 1e-17; n += 1.0) {
        term *= x / n;
        sum += term;
    }
    return sum * gamma_front(a, x);
}

/* Q by its continued fraction (DLMF 8.9.2), Lentz's way, good for x >= a + 1. */
static double gamma_fraction(double a, double x)
{
    double b = x + 1.0 - a, c = 1e300, d = 1.0 / b, h = d;
    for (int n = 1; n < 100000; n++) {
        double numerator = n * (a - n);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        double change = c * d;
        h *= change;
        if (change > 1.0 - 2e-16 && change < 1.0 + 2e-16)
            break;
    }
    return h * a * gamma_front(a, x);
}

double special_gamma_p(double a, double x)
{
    if (!(x > 0))
        return 0.0;
    if (x == INFINITY)
        return 1.0;
    return x < a + 1.0 ? gamma_series(a, x) : 1.0 - gamma_fraction(a, x);
}

double special_gamma_q(double a, double x)
{
    if (!(x > 0))
        return 1.0;
    if (x == INFINITY)
        return 0.0;
    return x < a + 1.0 ? 1.0 - gamma_series(a, x) : gamma_fraction(a, x);
}

double special_normal_cdf(double z)
{
    double half_square = 0.5 * z * z; /* erfc(t) = Q(1/2, t^2) for t >= 0 */
    if (z < 0)
        return 0.5 * special_gamma_q(0.5, half_square);
    return 1.0 - 0.5 * special_gamma_q(0.5, half_square);
}

double special_normal_density(double z)
{
    return arithmetic_exp(-0.5 * z * z) / arithmetic_sqrt(2.0 * ARITHMETIC_PI);
}

/* The lower half by bisection of the cdf, which is precise there; the upper by symmetry. */
double special_normal_quantile(double p)
{
    if (p > 0.5)
        return -special_normal_quantile(1.0 - p);
    double low = -40.0, high = 0.0;
    for (int i = 0; i < 80; i++) {
        double middle = 0.5 * (low + high);
        if (special_normal_cdf(middle) < p)
            low = middle;
        else
            high = middle;
    }
    return high;
}
