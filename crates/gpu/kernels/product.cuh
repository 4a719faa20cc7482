// Matrix products, which every dense layer and every convolution is made of: c[m][n] = start + Σ_k a(m, k) · b(k, n), k increasing,
// as one chain of fused multiply-adds in one thread. A block computes a tile of c. Pieces of a and b are brought to shared memory
// one after another, TERMS terms at a time: a piece splits a sum in time, and never between threads.

// Rows and columns of c that a block computes, and threads of it down and across.
#define TILE 32
#define SIDE 16
// Terms of a piece.
#define TERMS 32

// Whether a(m, k) of neighbouring k lie side by side (else those of neighbouring m do), and whether some terms are left out for
// some rows: `Operands::row_first` and `Operands::has_gaps`.
template <class Operands> DEVICE void product(u32 rows, u32 columns, u32 terms, const Operands &of) {
    SHARED float a[TERMS][TILE + 1];
    SHARED float b[TERMS][TILE + 1];
    SHARED u8 is_there[TERMS][TILE + 1];
    OWN(float, sums, 4);
    u32 first_row = blockIdx.x * TILE, first_column = blockIdx.y * TILE;
    THREADS {
        u32 down = threadIdx.x / SIDE, across = threadIdx.x % SIDE;
        for (u32 i = 0; i < 4; ++i) {
            u32 row = first_row + down + i / 2 * SIDE, column = first_column + across + i % 2 * SIDE;
            MINE(sums)[i] = row < rows && column < columns ? of.start(row, column) : 0.0f;
        }
    }
    for (u32 first = 0; first < terms; first += TERMS) {
        u32 here = terms - first < TERMS ? terms - first : TERMS;
        THREADS {
            for (u32 i = threadIdx.x; i < TERMS * TILE; i += SIDE * SIDE) {
                u32 term = Operands::row_first ? i / TILE : i % TERMS;
                u32 row = Operands::row_first ? i % TILE : i / TERMS;
                float value = 0.0f;
                bool there = true;
                if (term < here && first_row + row < rows) there = of.left(first_row + row, first + term, value);
                a[term][row] = value;
                if (Operands::has_gaps) is_there[term][row] = there;
            }
            for (u32 i = threadIdx.x; i < TERMS * TILE; i += SIDE * SIDE) {
                u32 term = Operands::column_first ? i / TILE : i % TERMS;
                u32 column = Operands::column_first ? i % TILE : i / TERMS;
                bool inside = term < here && first_column + column < columns;
                b[term][column] = inside ? of.right(first + term, first_column + column) : 0.0f;
            }
        }
        SYNC
        THREADS {
            u32 down = threadIdx.x / SIDE, across = threadIdx.x % SIDE;
            float s0 = MINE(sums)[0], s1 = MINE(sums)[1], s2 = MINE(sums)[2], s3 = MINE(sums)[3];
            for (u32 k = 0; k < here; ++k) {
                float a0 = a[k][down], a1 = a[k][down + SIDE];
                float b0 = b[k][across], b1 = b[k][across + SIDE];
                if (!Operands::has_gaps || is_there[k][down]) {
                    s0 = fma_of(a0, b0, s0);
                    s1 = fma_of(a0, b1, s1);
                }
                if (!Operands::has_gaps || is_there[k][down + SIDE]) {
                    s2 = fma_of(a1, b0, s2);
                    s3 = fma_of(a1, b1, s3);
                }
            }
            MINE(sums)[0] = s0; MINE(sums)[1] = s1; MINE(sums)[2] = s2; MINE(sums)[3] = s3;
        }
        SYNC
    }
    THREADS {
        u32 down = threadIdx.x / SIDE, across = threadIdx.x % SIDE;
        for (u32 i = 0; i < 4; ++i) {
            u32 row = first_row + down + i / 2 * SIDE, column = first_column + across + i % 2 * SIDE;
            if (row < rows && column < columns) of.finish(row, column, MINE(sums)[i]);
        }
    }
}
