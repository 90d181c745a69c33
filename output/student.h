/* Quantiles of Student's t and Clopper-Pearson bounds by our own arithmetic: additions, products,
 * quotients and square roots only, which IEEE 754 fixes to the bit, because these numbers stand in
 * every CSV file. (libm's logarithms differ with the machine's FMA.) */
#ifndef ORRERY_OUTPUT_STUDENT_H
#define ORRERY_OUTPUT_STUDENT_H

#include <stdint.h>

/* P(|T| <= t) for `freedom` >= 1 degrees of freedom and t >= 0: the finite series of Abramowitz and
 * Stegun, 26.7.3 and 26.7.4. O(freedom). */
double student_inside(double t, uint32_t freedom);

/* The t with P(|T| <= t) = confidence, 0 < confidence < 1. NaN for freedom 0. */
double student_quantile(double confidence, uint32_t freedom);

/* P(X <= k) of the binomial law with n trials of probability p. */
double binomial_below(uint32_t k, uint32_t n, double p);

/* The Clopper-Pearson bounds of k successes in n trials, with `tail` outside on either side. */
double clopper_low(uint32_t k, uint32_t n, double tail);
double clopper_high(uint32_t k, uint32_t n, double tail);

#endif
