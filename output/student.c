#include "output/student.h"

#include <math.h>
#include <stdbool.h>

enum { HALVINGS = 200 }; /* more than a double has steps between two bounds of one sign */

static const double pi = 3.14159265358979323846;

/* The arc tangent for x >= 0: the argument is halved five times, then Taylor's series. */
static double arc_tangent(double x)
{
    double factor = 1;
    for (int i = 0; i < 5; i++) {
        x = x / (1 + sqrt(1 + x * x));
        factor *= 2;
    }
    double square = x * x, power = x, sum = 0;
    for (int k = 1; k < 41; k += 2) {
        sum += power / k;
        power *= -square;
    }
    return factor * sum;
}

double student_inside(double t, uint32_t freedom)
{
    double nu = freedom, cosine2 = nu / (nu + t * t);
    double sine = t / sqrt(nu + t * t), cosine = sqrt(cosine2);
    bool odd = freedom % 2 == 1;
    double term = odd ? cosine : 1, sum = 0;
    for (uint32_t k = odd ? 3 : 2; k <= freedom; k += 2) {
        sum += term;
        term *= cosine2 * (double)(k - 1) / (double)k;
    }
    return odd ? 2 / pi * (arc_tangent(t / sqrt(nu)) + sine * sum) : sine * sum;
}

double student_quantile(double confidence, uint32_t freedom)
{
    if (!freedom)
        return NAN;
    double low = 0, high = 1;
    while (student_inside(high, freedom) < confidence)
        high *= 2;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (student_inside(middle, freedom) < confidence)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The terms are summed outwards from the largest, which is called 1: nothing overflows, and what
 * underflows does not matter. */
double binomial_below(uint32_t k, uint32_t n, double p)
{
    if (p <= 0 || k >= n)
        return 1;
    if (p >= 1)
        return 0;
    uint32_t mode = (uint32_t)((double)(n + 1) * p);
    mode = mode > n ? n : mode;
    double odds = p / (1 - p), below = 0, above = 0, term = 1;
    for (uint32_t i = mode;; i--) {
        *(i <= k ? &below : &above) += term;
        if (!i || term <= 0)
            break;
        term *= (double)i / ((double)(n - i + 1) * odds);
    }
    term = 1;
    for (uint32_t i = mode; i < n && term > 0; i++) {
        term *= (double)(n - i) / (double)(i + 1) * odds;
        *(i + 1 <= k ? &below : &above) += term;
    }
    return below / (below + above);
}

/* The p at which P(X <= k) falls to `target`. */
static double solve(uint32_t k, uint32_t n, double target)
{
    double low = 0, high = 1;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (binomial_below(k, n, middle) > target)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double clopper_low(uint32_t k, uint32_t n, double tail)
{
    return k ? solve(k - 1, n, 1 - tail) : 0;
}

double clopper_high(uint32_t k, uint32_t n, double tail)
{
    return k < n ? solve(k, n, tail) : 1;
}
