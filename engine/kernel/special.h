/* The special functions that laws of probability need, by our own arithmetic: used when a scenario
 * is loaded and printed, never per event. Relative error below 1e-12 unless said otherwise. */
#ifndef ORRERY_KERNEL_SPECIAL_H
#define ORRERY_KERNEL_SPECIAL_H

/* log Gamma(a), a > 0; near its zeros at 1 and 2 the error is 1e-14 absolute. */
double special_log_gamma(double a);

/* The regularised incomplete gamma functions P(a, x) and Q = 1 - P, a > 0, x >= 0. The error grows
 * with a, to 1e-9 at a = 1e6. */
double special_gamma_p(double a, double x);
double special_gamma_q(double a, double x);

/* P(N <= z) of the standard normal, with full relative precision in the lower tail; its density;
 * and its inverse for 0 < p < 1. */
double special_normal_cdf(double z);
double special_normal_density(double z);
double special_normal_quantile(double p);

#endif
