// A replica spread over blocks, in units of four coordinates or one particle.
//
// Pass t looks at x_t: its energy, the forces, and the step to x_{t+1}. That overwrites x_{t-1} in the other of two buffers, which is
// saved first, with its energy, if it was the lowest so far: until then `found` has that energy, INFINITE if there is none to save, and
// -INFINITE once a step has failed. The block that is the last to finish a replica's pass adds up the sums of all blocks. After the last
// step one more pass takes the energy, and one more saves. With one block a replica, all passes are one launch. A launch begins so many
// passes after those that `now` says are done, which a graph of launches adds to; so launches in a graph have the arguments of all its turns.
//
// In float32 what a step knows of the next one's dx, rho dx + beta z, is DX until then, which spares that noise being made twice.
//
// dx = rho dx + lr f(x) + s xi, x = x + dx; s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}:
// rho, with the change of dt: carry; alpha: kick; beta of the next step: tail; -f(x): g; z_n: normal;
// beta z_{n-1}, what paired noise carried on: noise.
constexpr bool FOLDED = SINGLE;

__device__ inline void add_up(double (*sums)[THREADS]) {
    __syncthreads();
    for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            sums[0][threadIdx.x] += sums[0][threadIdx.x + half];
            sums[1][threadIdx.x] += sums[1][threadIdx.x + half];
        }
        __syncthreads();
    }
}

// What the first step of a launch finds in DX, of a thread's own units.
__device__ inline void fold(real* DX, const double* NOISE, real carry, bool paired, const real* inertia) {
    for (Place unit = blockIdx.x * blockDim.x + threadIdx.x; unit < UNITS; unit += gridDim.x * blockDim.x) {
        const Place i = unit * UNIT;
        alignas(VECTOR) real dx[UNIT];
        alignas(VECTOR) double noise[UNIT];
        take(DX, i, dx);
        take(NOISE, i, noise);
#pragma unroll
        for (int k = 0; k < UNIT; ++k)
            if (WHOLE || i + k < DIM) dx[k] = carry * dx[k] + weighed(paired ? real(noise[k]) : real(0), inertia + DIM, i + k);
        put(DX, i, dx);
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, RESIDENT) sweep(
    real* even, real* odd, real* DX, double* NOISE, double* energy, double* best_energy, real* BEST, double* dx2, double* kinetic,
    const real* coefficients, const double* weights, const real* p, const real* inertia, double* partial, double* found, u32* arrived,
    u64* failure, const i64* now, i64 count, int paired, u32 first_replica, u32 purpose, u32 k0, u32 k1, const Extra* extra, i64 later,
    i64 passes) {
    __shared__ double sums[2][THREADS];
    __shared__ bool last;
    const Place blocks = gridDim.x, block = blockIdx.x;
    const i64 first_pass = now[0] + later, steps = now[1], first_step = now[2];
    for (i64 r = blockIdx.y; r < count; r += gridDim.y) {
        const i64 origin = r * DIM;
        Stream stream(first_replica + u32(r), purpose, k0, k1);
        for (i64 t = first_pass; t < first_pass + passes; ++t) {
            const real* x = (t & 1 ? odd : even) + origin;
            real* y = (t & 1 ? even : odd) + origin;
            const bool looks = t <= steps, moves = t < steps, saves = t > 0 && finite(found[r]);
            const real carry = moves ? coefficients[4 * t] : 0, lr = moves ? coefficients[4 * t + 1] : 0;
            const real kick = moves ? coefficients[4 * t + 2] : 0, tail = moves ? coefficients[4 * t + 3] : 0;
            const real tail_before = moves && t > 0 ? coefficients[4 * t - 1] : 0;
            const real carry_after = t + 1 < steps ? coefficients[4 * t + 4] : 1, tail_after = t + 1 < steps ? tail : 0;
            if (FOLDED && moves && t == 0) fold(DX + origin, NOISE + origin, carry, paired, inertia);
            double e = 0, q = 0;
            for (Place first = block * blockDim.x; first < UNITS; first += blocks * blockDim.x) {
                const Place unit = first + threadIdx.x, i = unit * UNIT;
                if (saves && unit < UNITS) {
                    alignas(VECTOR) real lowest[UNIT];
                    take(y, i, lowest);
                    put(BEST + origin, i, lowest);
                }
                if (!looks) continue;
                alignas(VECTOR) real v[UNIT], g[UNIT];
                const auto u = force(x, unit, v, g, p, extra, r);
                if (unit >= UNITS) continue;
                real sound = 0;  // not finite where a force is not
#pragma unroll
                for (int k = 0; k < UNIT; ++k) sound = fma(real(0), g[k], sound);
                e += u + sound;
                if (!moves) continue;
                const u64 number = u64(first_step + t) * DIM + i;
                alignas(VECTOR) real dx[UNIT], normal[UNIT] = {}, noise[UNIT] = {};
                real squares = real(-0.0);
                if (kick > 0) stream.fill(number, normal);
                if (!FOLDED && t == 0 && paired) {
                    alignas(VECTOR) double before[UNIT];
                    take(NOISE + origin, i, before);
#pragma unroll
                    for (int k = 0; k < UNIT; ++k) noise[k] = real(before[k]);
                } else if (!FOLDED && tail_before != 0) {  // what the step before carried on, made again
                    stream.fill(number - DIM, noise);
#pragma unroll
                    for (int k = 0; k < UNIT; ++k) noise[k] *= tail_before;
                }
                take(DX + origin, i, dx);
#pragma unroll
                for (int k = 0; k < UNIT; ++k) {
                    if (!WHOLE && i + k >= DIM) break;
                    real m = (FOLDED ? dx[k] : carry * dx[k]) - lr * weighed(g[k], inertia, i + k);
                    m += weighed(FOLDED ? kick * normal[k] : kick * normal[k] + noise[k], inertia + DIM, i + k);
                    squares += weighed(m * m, inertia + 2 * DIM, i + k);
                    v[k] += m;
                    dx[k] = FOLDED ? carry_after * m + weighed(tail_after * normal[k], inertia + DIM, i + k) : m;
                }
                put(y, i, v);
                if (t == steps - 1 && paired) {
                    alignas(VECTOR) double after[UNIT];
#pragma unroll
                    for (int k = 0; k < UNIT; ++k) after[k] = tail * normal[k];
                    put(NOISE + origin, i, after);
                }
                put(DX + origin, i, dx);
                q += squares;
#ifdef LISTS
                watch(y, unit, extra, r, first_step + t + 1);
#endif
            }
            sums[0][threadIdx.x] = e;
            sums[1][threadIdx.x] = q;
            add_up(sums);
            if (blocks > 1) {
                if (threadIdx.x == 0) {
                    partial[2 * (r * blocks + block)] = sums[0][0];
                    partial[2 * (r * blocks + block) + 1] = sums[1][0];
                    __threadfence();
                    last = atomicAdd(&arrived[r], 1u) == gridDim.x - 1;
                }
                __syncthreads();
                if (last) {
                    __threadfence();
                    const volatile double* all = partial + 2 * r * blocks;  // written by other blocks: not from this one's cache
                    sums[0][threadIdx.x] = sums[1][threadIdx.x] = 0;
                    for (i64 k = threadIdx.x; k < blocks; k += blockDim.x) {
                        sums[0][threadIdx.x] += all[2 * k];
                        sums[1][threadIdx.x] += all[2 * k + 1];
                    }
                    add_up(sums);
                }
            }
            if (threadIdx.x == 0 && (blocks == 1 || last)) {
                const double total = (GIVEN ? energy[r] : 0) + sums[0][0];
                const bool failed = t > 0 && found[r] == -INFINITE;
                if (saves) best_energy[r] = found[r];
                if (looks && !failed && !finite(total)) {
                    atomicMin(failure, u64(t) << 32 | u64(r));
                    found[r] = -INFINITE;
                } else if (looks && !failed) {
                    found[r] = total < best_energy[r] ? total : INFINITE;
                }
                if (looks) energy[r] = total;
                if (moves) {
                    dx2[r] += weights[2 * t] * sums[1][0];
                    kinetic[r] += weights[2 * t + 1] * sums[1][0];
                }
                arrived[r] = 0;
            }
            __syncthreads();
        }
    }
}

extern "C" __global__ void __launch_bounds__(1) onward(i64* now, i64 passes) { now[0] += passes; }
