// One thread a replica: all steps in one launch, x, dx and noise in registers.
//
// dx = rho dx + lr f(x) + s xi, x = x + dx; s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}:
// rho, with the change of dt: carry; alpha: kick; beta of the next step: tail; -f(x): g; z_n: normal;
// beta z_{n-1}, what paired noise carried on: noise.
//
// A step that meets an energy or force that is not finite turns back where that is a wall. All replicas are at the same step, so that
// its numbers are the warp's and not each thread's; so one that fails stops, and `turned` has its step. Compiled once more with TURNS, the
// kernel takes those alone from the start, each at its own step: the way is gone again from step `base`, whose x, dx, noise and sums
// are in memory, up to the failed step, which changes dx and noise but not x.
#ifdef TURNS
constexpr bool turns = true;
#else
constexpr bool turns = false;
#endif

extern "C" __global__ void __launch_bounds__(THREADS) replicas(
    real* __restrict__ X, real* __restrict__ DX, double* __restrict__ NOISE, double* __restrict__ energy, double* __restrict__ best_energy,
    real* __restrict__ BEST, double* __restrict__ dx2, double* __restrict__ kinetic, i64* __restrict__ failures,
    const real* __restrict__ coefficients, const double* __restrict__ weights, const real* __restrict__ p,
    const real* __restrict__ inertia, int* __restrict__ turned, u64* failure, i64 count, int steps, i64 first_step, int paired, int wall, u32 first_replica, u32 purpose, u32 k0, u32 k1) {
    for (i64 r = blockIdx.x * i64(blockDim.x) + threadIdx.x; r < count; r += i64(gridDim.x) * blockDim.x) {
        if (turns && !turned[r]) continue;
        real x[DIM], dx[DIM], noise[DIM], g[DIM];
#pragma unroll UNROLL
        for (int d = 0; d < DIM; ++d) {
            x[d] = X[r * DIM + d];
            dx[d] = DX[r * DIM + d];
            noise[d] = NOISE[r * DIM + d];
        }
        Stream stream(first_replica + u32(r), purpose, k0, k1);
        double e, lowest = best_energy[r], squares22 = dx2[r], squares = kinetic[r];
        int in_a_row = int(failures[2 * r + 1]);
        int base = 0, turn = turns ? turned[r] : -1, stopped = 0;
        for (int t = 0;; ++t) {
            e = force(x, g, p);
            real sound = SINGLE ? 0 : e;  // finite if all forces are, and in float64 the energy
#pragma unroll UNROLL
            for (int d = 0; d < DIM; ++d) sound = fma(real(0), g[d], sound);
            if (turns && t == turn) {
                double reflected = 0;
#pragma unroll UNROLL
                for (int d = 0; d < DIM; ++d) {
                    X[r * DIM + d] = x[d];
                    DX[r * DIM + d] = dx[d] = -dx[d];
                    NOISE[r * DIM + d] = noise[d] = -noise[d];
                    reflected += 0 * dx[d];
                }
                dx2[r] = squares22;
                kinetic[r] = squares;
                base = t;
                turn = -1;
                ++in_a_row;
                ++failures[2 * r];
                if (!finite(reflected) || !(::fabs(e) < DIVERGED)) {
                    atomicMin(failure, u64(t) << 32 | u64(r));
                    break;
                }
            } else if (!(finite(sound) & (!SINGLE || finite(e)))) {
                if (!wall || t == 0) {
                    atomicMin(failure, u64(t) << 32 | u64(r));
                    break;
                }
                if (!turns) {
                    stopped = t;
                    failure[1] = 0;
                    break;
                }
                turn = t;
                t = base - 1;
#pragma unroll UNROLL
                for (int d = 0; d < DIM; ++d) {
                    x[d] = X[r * DIM + d];
                    dx[d] = DX[r * DIM + d];
                    noise[d] = NOISE[r * DIM + d];
                }
                squares22 = dx2[r];
                squares = kinetic[r];
                continue;
            } else if (t > base) {
                in_a_row = 0;
            }
            if (e < lowest) {
                lowest = e;
#pragma unroll UNROLL
                for (int d = 0; d < DIM; ++d) BEST[r * DIM + d] = x[d];
            }
            if (t == steps) break;
            alignas(VECTOR) real numbers[4], q = 0;
            copy<4>(coefficients + 4 * t, numbers);
            const real carry = numbers[0], lr = numbers[1], kick = numbers[2], tail = numbers[3];
            u64 number = u64(first_step + t) * DIM;
#pragma unroll UNROLL
            for (int d = 0; d < DIM; ++d) {
                real normal = 0;
                if (kick > 0) {
                    if (d % ALIGNED == 0) stream.reach(number + d);
                    normal = stream.at(number + d);
                }
                real m = carry * dx[d] - lr * weighed(g[d], inertia, d);
                if (paired) {
                    m += weighed(kick * normal + noise[d], inertia + DIM, d);
                    noise[d] = tail * normal;
                } else {
                    m += weighed(kick * normal, inertia + DIM, d);
                }
                dx[d] = m;
                if (t + 1 != turn) x[d] += m;
                q += weighed(m * m, inertia + 2 * DIM, d);
            }
            alignas(VECTOR) double weight[2];
            copy<2>(weights + 2 * t, weight);
            squares22 += weight[0] * double(q);
            squares += weight[1] * double(q);
        }
        best_energy[r] = lowest;
        turned[r] = stopped;
        if (stopped) continue;
#pragma unroll UNROLL
        for (int d = 0; d < DIM; ++d) {
            X[r * DIM + d] = x[d];
            DX[r * DIM + d] = dx[d];
            NOISE[r * DIM + d] = noise[d];
        }
        energy[r] = e;
        dx2[r] = squares22;
        kinetic[r] = squares;
        failures[2 * r + 1] = in_a_row;
    }
}
