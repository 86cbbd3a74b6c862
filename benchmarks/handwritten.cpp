// What a strong user writes in an hour: GJF on the double well (x^2 - 1)^2 + 0.3 x, blocks of 64 replicas, xoshiro128+ in lanes,
// Box-Muller through the compiler's vector library, the best point kept. T is the type of the normals; the state is float64.
// g++ -O3 -march=native -ffast-math -fopenmp -shared -fPIC
#include <cmath>
#include <cstdint>

constexpr int BLOCK = 64, HALF = BLOCK / 2;

static uint64_t splitmix(uint64_t& state) {
    uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

struct Words {  // of HALF generators side by side
    alignas(64) uint32_t a[HALF], b[HALF], c[HALF], d[HALF], out[HALF];
    explicit Words(uint64_t seed) {
        for (int i = 0; i < HALF; ++i) {
            const uint64_t u = splitmix(seed), v = splitmix(seed);
            a[i] = u, b[i] = u >> 32, c[i] = v, d[i] = v >> 32;
        }
    }
    void draw() {
#pragma omp simd
        for (int i = 0; i < HALF; ++i) {
            out[i] = a[i] + d[i];
            const uint32_t t = b[i] << 9;
            c[i] ^= a[i], d[i] ^= b[i], b[i] ^= c[i], a[i] ^= d[i], c[i] ^= t;
            d[i] = (d[i] << 11) | (d[i] >> 21);
        }
    }
};

template <class T> static void normals(Words& words, T* z) {
    alignas(64) T radius[HALF];
    words.draw();
#pragma omp simd
    for (int i = 0; i < HALF; ++i)
        radius[i] = std::sqrt(T(-2) * std::log(T(int32_t(words.out[i] >> 1)) * T(0x1p-31) + T(0x1p-32)));
    words.draw();
#pragma omp simd
    for (int i = 0; i < HALF; ++i) z[i] = radius[i] * std::cos(T(int32_t(words.out[i])) * T(M_PI * 0x1p-31));
    asm volatile("" ::: "memory");  // or g++ makes one scalar sincos of the two loops
#pragma omp simd
    for (int i = 0; i < HALF; ++i) z[HALF + i] = radius[i] * std::sin(T(int32_t(words.out[i])) * T(M_PI * 0x1p-31));
}

template <class T>
static void walk(double* x, double* best_x, double* best, long count, long steps, double rho, double lr, double s, int threads) {
#pragma omp parallel for num_threads(threads)
    for (long r = 0; r < count; r += BLOCK) {  // count is a multiple of BLOCK
        Words words(77 + r);
        alignas(64) double at[BLOCK], dx[BLOCK] = {}, kick[BLOCK] = {};
        alignas(64) T z[BLOCK];
        for (int i = 0; i < BLOCK; ++i) at[i] = x[r + i];
        for (long t = 0; t < steps; ++t) {
            normals(words, z);
#pragma omp simd
            for (int i = 0; i < BLOCK; ++i) {
                const double now = 0.5 * s * z[i], q = at[i] * at[i] - 1, energy = q * q + 0.3 * at[i];
                const bool lower = energy < best[r + i];
                best[r + i] = lower ? energy : best[r + i];
                best_x[r + i] = lower ? at[i] : best_x[r + i];
                dx[i] = rho * dx[i] - lr * (4 * at[i] * q + 0.3) + now + kick[i];
                at[i] += dx[i];
                kick[i] = now;
            }
        }
        for (int i = 0; i < BLOCK; ++i) x[r + i] = at[i];
    }
}

extern "C" void walk_double(double* x, double* bx, double* b, long n, long steps, double rho, double lr, double s, int threads) {
    walk<double>(x, bx, b, n, steps, rho, lr, s, threads);
}
extern "C" void walk_float(double* x, double* bx, double* b, long n, long steps, double rho, double lr, double s, int threads) {
    walk<float>(x, bx, b, n, steps, rho, lr, s, threads);
}
