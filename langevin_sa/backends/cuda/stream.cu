// Two standard normals from two words, line by line `box_muller` of noise.py: float32 in both precisions, every rounding written
// out, so that the compiler fuses nothing.
template <int N> __device__ inline float polynomial(const float (&coefficients)[N], float x) {
    float value = coefficients[0];
#pragma unroll
    for (int i = 1; i < N; ++i) value = __fmaf_rn(value, x, coefficients[i]);
    return value;
}

__device__ inline Two<real, real> box_muller(u32 first, u32 second) {
    const float logarithm[] = LOGARITHM, sines[] = SINE, cosines[] = COSINE;
    const int near = (__float_as_int(__uint2float_rn(first)) - ROOT_HALF) >> 23, k = near < 0 ? 0 : near;
    const u32 power = k < 32 ? 1u << (k & 31) : 0u;
    const float f = __fmul_rn(__fadd_rn(__int2float_rn(int(first - power)), 0.5f), __int_as_float((127 - k) << 23));
    const float octaves = __fmul_rn(__int2float_rn(32 - k), OCTAVE);
    const float radius = __fsqrt_rn(__fmaf_rn(f, polynomial(logarithm, f), octaves));
    const float angle = __fmaf_rn(__int2float_rn(int(second & ANGLE)), STEP, HALF_STEP), z = __fmul_rn(angle, angle);
    const float sine = __fmul_rn(polynomial(sines, z), angle), cosine = polynomial(cosines, z);
    const bool swap = second & SWAP_BIT;
    const float x = __fmul_rn(swap ? sine : cosine, radius), y = __fmul_rn(swap ? cosine : sine, radius);
    return {second >> 31 ? -x : x, second >> 30 & 1 ? -y : y};
}

// A replica's stream of noise, see noise.py: numbers 4q to 4q + 3 come from one call of Philox4x32-10.
struct Stream {
    u32 replica, purpose, k0, k1;
    u64 made;  // the quad that is held
    real z0, z1, z2, z3;

    __device__ Stream(u32 replica, u32 purpose, u32 k0, u32 k1) : replica(replica), purpose(purpose), k0(k0), k1(k1), made(~0ULL) {
        z0 = z1 = z2 = z3 = 0;
    }

    __device__ void reach(u64 number) {  // hold the quad of this number; all threads of a launch branch alike
        if ((number >> 2) != made) make(made = number >> 2);
    }

    __device__ void make(u64 quad) {
        u32 c0 = u32(quad), c1 = u32(quad >> 32), c2 = replica, c3 = purpose, key0 = k0, key1 = k1;
#pragma unroll
        for (int round = 0; round < 10; ++round) {
            u32 high0 = __umulhi(0xD2511F53u, c0), high1 = __umulhi(0xCD9E8D57u, c2);
            u32 low0 = 0xD2511F53u * c0, low1 = 0xCD9E8D57u * c2;
            c0 = high1 ^ c1 ^ key0;
            c1 = low1;
            c2 = high0 ^ c3 ^ key1;
            c3 = low0;
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        Two<real, real> a, b;
        if (purpose < KIND) {
            a = box_muller(c0, c1);
            b = box_muller(c2, c3);
        } else if (purpose < 2 * KIND) {
            a = uniform(c0, c1);
            b = uniform(c2, c3);
        } else {
            a = three_point(c0, c1);
            b = three_point(c2, c3);
        }
        z0 = a.first;
        z1 = a.second;
        z2 = b.first;
        z3 = b.second;
    }

    template <int N> __device__ void fill(u64 number, real (&z)[N]) {  // N numbers, from this one on
        constexpr int quads = (N + 6) / 4;
        const int skipped = number & 3;
        real all[4 * quads] = {};
#pragma unroll
        for (int q = 0; q < quads; ++q) {
            if (q > 0 && skipped + N <= 4 * q) continue;
            make((number >> 2) + q);
            all[4 * q] = z0;
            all[4 * q + 1] = z1;
            all[4 * q + 2] = z2;
            all[4 * q + 3] = z3;
        }
#pragma unroll
        for (int k = 0; k < N + 1; ++k) all[k] = skipped & 2 ? all[k + 2] : all[k];
#pragma unroll
        for (int k = 0; k < N; ++k) z[k] = skipped & 1 ? all[k + 1] : all[k];
    }

    __device__ real at(u64 number) const {  // a number of the quad that is held
        real low = number & 1 ? z1 : z0, high = number & 1 ? z3 : z2;
        return number & 2 ? high : low;
    }
};
