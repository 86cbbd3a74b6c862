// What a strong user writes in an hour: the periodic phi^4 chain, tiles of 2048 sites, noise made tile by tile, energies summed on
// the way, the best point kept by letting three arrays change names; all arithmetic in T, normals in float32. And streams of the
// same traffic without the arithmetic.
#include "handwritten.cpp"
#include <emmintrin.h>
#include <omp.h>
#include <utility>

constexpr long TILE = 2048;

template <class T, int NOISE>  // 0 none, 1 single, 2 paired
static double tile(const T* x, T* y, T* dx, T* kick, Words& words, long low, long high, long n, T rho, T lr, T s) {
    alignas(64) float z[TILE];
    if (NOISE)
        for (long i = 0; i < high - low; i += BLOCK) normals(words, z + i);
    const float* noise = z;
    auto site = [=](long i, T left, T right) {
        const T v = x[i], square = v * v, apart = right - v;
        T m = rho * dx[i] - lr * (square * v + v - left - right);
        if (NOISE == 1) m += s * noise[i - low];
        if (NOISE == 2) {
            const T now = s / 2 * noise[i - low];
            m += now + kick[i];
            kick[i] = now;
        }
        dx[i] = m;
        y[i] = v + m;
        return square * (square / 4 - T(0.5)) + apart * apart / 2;
    };
    const long begin = low == 0, end = high == n ? n - 1 : high;
    T energy = 0;
#pragma omp simd reduction(+ : energy)
    for (long i = low + begin; i < end; ++i) energy += site(i, x[i - 1], x[i + 1]);
    if (begin) energy += site(0, x[n - 1], x[1]);
    if (end < high) energy += site(n - 1, x[n - 2], x[0]);
    return energy;
}

template <class T, int NOISE>
static double chain(T* x, T* y, T* best, T* dx, T* kick, long n, long steps, double rho, double lr, double s, int threads) {
    double lowest = INFINITY, energy = 0;
#pragma omp parallel num_threads(threads)
    {
        Words words(77 + omp_get_thread_num());
        for (long t = 0; t < steps; ++t) {
#pragma omp for schedule(static) reduction(+ : energy)
            for (long low = 0; low < n; low += TILE)
                energy += tile<T, NOISE>(x, y, dx, kick, words, low, low + TILE < n ? low + TILE : n, n, rho, lr, s);
#pragma omp single
            {
                const bool lower = energy < lowest;
                std::swap(x, y);
                if (lower) {
                    lowest = energy;
                    std::swap(y, best);
                }
                energy = 0;
            }
        }
    }
    return lowest;
}

// 0: dx = -dx, x += dx in place; 1: the sum to a third array; 2: the same around the cache
static void stream(int kind, double* x, double* y, double* dx, long n, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long low = 0; low < n; low += TILE) {
        const long high = low + TILE < n ? low + TILE : n;
        double* to = kind ? y : x;
        if (kind < 2) {
#pragma omp simd
            for (long i = low; i < high; ++i) dx[i] = -dx[i], to[i] = x[i] + dx[i];
        } else {
            for (long i = low; i + 1 < high; i += 2) {
                const __m128d m = _mm_sub_pd(_mm_setzero_pd(), _mm_load_pd(dx + i));
                _mm_store_pd(dx + i, m);
                _mm_stream_pd(y + i, _mm_add_pd(_mm_load_pd(x + i), m));
            }
        }
    }
}

#define CHAIN(T, NOISE)                                                                                                           \
    extern "C" double chain_##T##_##NOISE(T* x, T* y, T* best, T* dx, T* kick, long n, long steps, double rho, double lr, double s, \
                                          int threads) {                                                                          \
        return chain<T, NOISE>(x, y, best, dx, kick, n, steps, rho, lr, s, threads);                                              \
    }
CHAIN(double, 0) CHAIN(double, 1) CHAIN(double, 2) CHAIN(float, 0) CHAIN(float, 1) CHAIN(float, 2)
extern "C" void traffic(int kind, double* x, double* y, double* dx, long n, int threads) { stream(kind, x, y, dx, n, threads); }
