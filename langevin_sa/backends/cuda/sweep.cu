// A replica spread over blocks, in units of four coordinates or one particle.
//
// Pass t looks at x_t: its energy, the forces, and the step to x_{t+1}. That overwrites x_{t-1} in the other of two buffers, which is
// saved first, with its energy, if it was the lowest so far: until then `found` has that energy, INFINITE if there is none to save, and
// -INFINITE once a step has failed. The block that is the last to finish a replica's pass adds up the sums of all blocks. After the last
// step one more pass takes the energy, and one more saves. With one block a replica, all passes are one launch.
//
// dx = rho dx + lr f(x) + s xi, x = x + dx; s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}:
// rho, with the change of dt: carry; alpha: kick; beta of the next step: tail; -f(x): g; z_n: normal;
// beta z_{n-1}, what paired noise carried on: noise.
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

extern "C" __global__ void __launch_bounds__(THREADS, RESIDENT) sweep(
    real* even, real* odd, real* DX, double* NOISE, double* energy, double* best_energy, real* BEST, double* dx2, double* kinetic,
    const real* coefficients, const double* weights, const real* p, const real* inertia, const Extra* extra, double* partial, double* found, u32* arrived,
    u64* failure, i64 count, i64 steps, i64 first_pass, i64 passes, i64 first_step, int paired, u32 first_replica,
    u32 purpose, u32 k0, u32 k1) {
    __shared__ double sums[2][THREADS];
    __shared__ bool last;
    const i64 blocks = gridDim.x, block = blockIdx.x;
    for (i64 r = blockIdx.y; r < count; r += gridDim.y) {
        const i64 origin = r * DIM;
        Stream stream(first_replica + u32(r), purpose, k0, k1), before(first_replica + u32(r), purpose, k0, k1);
        for (i64 t = first_pass; t < first_pass + passes; ++t) {
            const real* x = (t & 1 ? odd : even) + origin;
            real* y = (t & 1 ? even : odd) + origin;
            const bool looks = t <= steps, moves = t < steps, saves = t > 0 && finite(found[r]);
            const real carry = moves ? coefficients[4 * t] : 0, lr = moves ? coefficients[4 * t + 1] : 0;
            const real kick = moves ? coefficients[4 * t + 2] : 0, tail = moves ? coefficients[4 * t + 3] : 0;
            const real tail_before = moves && t > 0 ? coefficients[4 * t - 1] : 0;
            double e = 0, q = 0;
            for (i64 first = block * blockDim.x; first < UNITS; first += blocks * blockDim.x) {
                const i64 unit = first + threadIdx.x;
                real v[UNIT], g[UNIT], squares = 0;
                if (looks) e += force(x, unit, v, g, p, extra, r);
#pragma unroll
                for (int k = 0; k < UNIT; ++k) {
                    const i64 i = unit * UNIT + k;
                    if (i >= DIM) continue;
                    if (looks) e += 0 * g[k];  // not finite where a force is not
                    if (saves) BEST[origin + i] = y[i];
                    if (!moves) continue;
                    const u64 number = u64(first_step + t) * DIM + i;
                    real normal = 0;
                    if (kick > 0) {
                        if (k % ALIGNED == 0) stream.reach(number);
                        normal = stream.at(number);
                    }
                    real m = carry * DX[origin + i] - lr * weighed(g[k], inertia, i);
                    if (paired) {
                        real noise = t > 0 ? real(0) : real(NOISE[origin + i]);
                        if (tail_before != 0) {  // what the step before carried on, made again
                            if (k % ALIGNED == 0) before.reach(number - DIM);
                            noise = tail_before * before.at(number - DIM);
                        }
                        m += weighed(kick * normal + noise, inertia + DIM, i);
                        if (t == steps - 1) NOISE[origin + i] = tail * normal;
                    } else {
                        m += weighed(kick * normal, inertia + DIM, i);
                    }
                    DX[origin + i] = m;
                    y[i] = v[k] + m;
                    squares += weighed(m * m, inertia + 2 * DIM, i);
                }
#ifdef LISTS
                if (moves && unit < UNITS) watch(y, unit, extra, r, first_step + t + 1);
#endif
                q += squares;
            }
            sums[0][threadIdx.x] = e;
            sums[1][threadIdx.x] = q;
            add_up(sums);
            if (blocks > 1) {
                if (threadIdx.x == 0) {
                    partial[2 * (r * blocks + block)] = sums[0][0];
                    partial[2 * (r * blocks + block) + 1] = sums[1][0];
                    __threadfence();
                    last = atomicAdd(&arrived[r], 1u) == blocks - 1;
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
