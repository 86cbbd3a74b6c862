// Particles with a cut-off: a unit is one of them and has a list of all others nearer than the cut-off and a skin, in the order of their
// numbers, so that a sum over it has the same terms in the same order whenever the list was made. Whoever finds that a particle has moved
// by half the skin since then writes down the step before which lists are to be made again, and the kernels that make them do nothing
// before any other step.
//
// An axis has n cells, which repeat without end, also where it is open: particles that are in one cell from far apart are told from each
// other by their distance. `grid` has n for each axis, cells to a length, 1/n, and for each pair of species the squared distance up to
// which particles are listed. A particle with more neighbours than there is room for looks at all the others.
typedef u64 Extra;  // the words of a Lists
struct Lists {
    const int* species;   // of each particle
    const int* counts;    // neighbours of each particle, replica by replica
    const int* names;     // neighbour k of a particle of replica r at (r*room + k)*UNITS + particle
    const real* home;     // where particles were when lists were made
    i64* stale;           // the step before which those of a replica are to be made again
    i64 room;
    double half2;         // the square of half the skin
};

__device__ inline void watch(const real* x, i64 unit, const Extra* extra, i64 r, i64 step) {
    const Lists& lists = *(const Lists*)extra;
    double way2 = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        const double way = double(x[unit * UNIT + k]) - double(lists.home[(r * UNITS + unit) * UNIT + k]);
        way2 += way * way;
    }
    if (!(way2 <= lists.half2)) lists.stale[r] = step;  // all who write do so alike
}

__device__ inline double force(const real* x, Place unit, real (&v)[UNIT], real (&g)[UNIT], const real* p, const Extra* extra, i64 r) {
    const bool there = unit < UNITS;
    const Lists& lists = *(const Lists*)extra;
    real part = 0;
    double e = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        v[k] = there ? x[unit * UNIT + k] : real(0);
        g[k] = 0;
        if (there) e += site(v[k], g[k], p, unit * UNIT + k);
        e += 0 * v[k];  // far away it may have no neighbour to tell that it is no number
    }
    const int kind = TYPES > 1 && there ? lists.species[unit] : 0;
    const int listed = there ? lists.counts[r * UNITS + unit] : 0;
    const int* names = lists.names + r * lists.room * UNITS + unit;
    const bool all = listed > lists.room;
    const int n = all ? int(UNITS) : listed;
    for (int j = 0; there && j < n; ++j) {
        const i64 other = all ? j : names[j * UNITS];
        const int row = kind * TYPES + (TYPES > 1 ? lists.species[other] : 0);
        if (other != unit) part += pair(v, x + other * UNIT, p + row * ROW, p + TYPES * TYPES * ROW, g);
    }
    return e + 0.5 * double(part);
}

__device__ inline i64 cell_along(real x, const double* grid, int k) {
    const double n = grid[k], at = ::floor(double(x) * grid[UNIT + k]), c = at - n * ::floor(at * grid[2 * UNIT + k]);
    return c > 0 && c < n ? i64(c) : 0;  // at a multiple of n it may be n; also of what is no number
}

__device__ inline i64 cell_of(const real* x, const double* grid) {
    i64 c = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) c = c * i64(grid[k]) + cell_along(x[k], grid, k);
    return c;
}

// Before the first step of a call: particles may have been moved by others.
extern "C" __global__ void __launch_bounds__(THREADS) look(const real* X, const Extra* extra, i64 count, i64 step) {
    for (i64 r = blockIdx.y; r < count; r += gridDim.y)
        for (i64 unit = blockIdx.x * i64(blockDim.x) + threadIdx.x; unit < UNITS; unit += i64(gridDim.x) * blockDim.x)
            watch(X + r * DIM, unit, extra, r, step);
}

// How many particles each cell has; `place` of a particle in it is any.
extern "C" __global__ void __launch_bounds__(THREADS) count_cells(
    const real* X, const double* grid, int* counted, int* place, const i64* stale, i64 count, i64 cells, i64 step) {
    for (i64 r = blockIdx.y; r < count; r += gridDim.y) {
        if (stale[r] != step) continue;
        for (i64 unit = blockIdx.x * i64(blockDim.x) + threadIdx.x; unit < UNITS; unit += i64(gridDim.x) * blockDim.x)
            place[r * UNITS + unit] = atomicAdd(&counted[r * cells + cell_of(X + r * DIM + unit * UNIT, grid)], 1);
    }
}

// Each cell's first slot; one block a replica. Leaves zeros for the next count.
extern "C" __global__ void __launch_bounds__(THREADS) scan_cells(
    int* counted, int* first, const i64* stale, i64 count, i64 cells, i64 step) {
    __shared__ int sums[THREADS];
    for (i64 r = blockIdx.y; r < count; r += gridDim.y) {
        if (stale[r] != step) continue;
        int *here = counted + r * cells, *slots = first + r * (cells + 1), before = 0;
        for (i64 start = 0; start < cells; start += STRETCH * blockDim.x) {
            const i64 low = start + STRETCH * i64(threadIdx.x);
            int own = 0;
            for (int k = 0; k < STRETCH; ++k) own += low + k < cells ? here[low + k] : 0;
            sums[threadIdx.x] = own;
            __syncthreads();
            for (u32 far = 1; far < blockDim.x; far *= 2) {
                const int more = threadIdx.x >= far ? sums[threadIdx.x - far] : 0;
                __syncthreads();
                sums[threadIdx.x] += more;
                __syncthreads();
            }
            int slot = before + sums[threadIdx.x] - own;
            before += sums[blockDim.x - 1];
            for (int k = 0; k < STRETCH && low + k < cells; ++k) {
                slots[low + k] = slot;
                slot += here[low + k];
                here[low + k] = 0;
            }
            __syncthreads();
        }
        if (threadIdx.x == 0) slots[cells] = before;
    }
}

// Particles into slots, cell by cell.
extern "C" __global__ void __launch_bounds__(THREADS) fill_cells(
    const real* X, const double* grid, const int* first, const int* place, int* members, const i64* stale, i64 count, i64 cells,
    i64 step) {
    for (i64 r = blockIdx.y; r < count; r += gridDim.y) {
        if (stale[r] != step) continue;
        for (i64 unit = blockIdx.x * i64(blockDim.x) + threadIdx.x; unit < UNITS; unit += i64(gridDim.x) * blockDim.x) {
            const i64 slot = first[r * (cells + 1) + cell_of(X + r * DIM + unit * UNIT, grid)] + place[r * UNITS + unit];
            members[r * UNITS + slot] = int(unit);
        }
    }
}

// Squared distance of nearest images.
__device__ inline double apart2(const real* v, const real* w, const real* lengths) {
    double sum = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        const double r = double(v[k]) - double(w[k]);
        const double near = ::fma(-::rint(r * lengths[UNIT + k]), double(lengths[k]), r);
        sum += near * near;
    }
    return sum;
}

// Lists by insertion, the first HELD neighbours of a list in shared memory. Threads of a warp are in slots next to each other.
extern "C" __global__ void __launch_bounds__(LISTERS) list_neighbours(
    const real* X, const real* p, const double* grid, const int* species, const int* first, const int* members, int* counts, int* names,
    real* home, int* most, const i64* stale, i64 count, i64 cells, i64 room, i64 step) {
    __shared__ int held[HELD * LISTERS];
    for (i64 r = blockIdx.y; r < count; r += gridDim.y) {
        if (stale[r] != step) continue;
        const real* x = X + r * DIM;
        for (i64 slot = blockIdx.x * i64(blockDim.x) + threadIdx.x; slot < UNITS; slot += i64(gridDim.x) * blockDim.x) {
            const i64 unit = members[r * UNITS + slot];
            const int kind = TYPES > 1 ? species[unit] : 0;
            int *list = names + r * room * UNITS + unit, *near = held + threadIdx.x, n = 0;
            for (int side = 0; side < SIDES; ++side) {
                i64 cell = 0;
                bool there = true;
#pragma unroll
                for (int k = 0, rest = side; k < UNIT; ++k, rest /= 3) {  // before, here and after along each axis, each cell once
                    const i64 cells_along = i64(grid[k]), d = rest % 3;
                    there = there && d < cells_along;
                    cell = cell * cells_along + (cell_along(x[unit * UNIT + k], grid, k) + cells_along - 1 + d) % cells_along;
                }
                const i64 end = there ? first[r * (cells + 1) + cell + 1] : 0;
                for (i64 at = there ? first[r * (cells + 1) + cell] : 0; at < end; ++at) {
                    const int other = members[r * UNITS + at];
                    const double reach2 = grid[3 * UNIT + kind * TYPES + (TYPES > 1 ? species[other] : 0)];
                    if (other == unit || apart2(x + unit * UNIT, x + other * i64(UNIT), p + TYPES * TYPES * ROW) > reach2) continue;
                    if (++n > room) continue;
                    int k = n - 1;
                    for (; k > 0; --k) {
                        const int before = k <= HELD ? near[(k - 1) * LISTERS] : list[(k - 1) * UNITS];
                        if (before < other) break;
                        if (k < HELD) near[k * LISTERS] = before;
                        else list[k * UNITS] = before;
                    }
                    if (k < HELD) near[k * LISTERS] = other;
                    else list[k * UNITS] = other;
                }
            }
            for (int k = 0; k < HELD && k < n && n <= room; ++k) list[k * UNITS] = near[k * LISTERS];
            counts[r * UNITS + unit] = n;
            if (n > room) atomicMax(most, n);
#pragma unroll
            for (int k = 0; k < UNIT; ++k) home[(r * UNITS + unit) * UNIT + k] = x[unit * UNIT + k];
        }
    }
}
