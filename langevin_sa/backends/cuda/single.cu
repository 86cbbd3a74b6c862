// What simd.py says about the bits of float64, for float32.
__device__ inline real exp(real x) { return ::expf(x); }
__device__ inline real expm1(real x) { return ::expm1f(x); }
__device__ inline real log(real x) { return ::logf(x); }

__device__ inline Two<real, i64> _reduce(real x) {  // x - n*pi/2 for |x| < 1e5, pi/2 in three parts; CUDA's own needs local memory
    real t = fma(x, 0.636619772f, 12582912.0f), n = t - 12582912.0f;
    return {fma(n, 1.71512451e-15f, fma(n, 4.37113883e-08f, fma(n, -1.57079637f, x))), __float_as_int(t)};
}
