// Matrix products, which every dense layer and every convolution is made of: c[m][n] = start + Σ_k a(m, k) · b(k, n), k increasing,
// as one chain of fused multiply-adds in one thread. A block computes a tile of c, each thread two rows by two columns of it. Pieces
// of a and b are brought to shared memory one after another, TERMS terms at a time: a piece splits a sum in time, and never between
// threads. While a piece is computed with, the numbers of the next one are on their way.

// Terms of a piece.
#define TERMS 32
// Threads of a block, down and across: WIDE, where a number that was brought serves more sums; NARROW, for products of few tiles, so
// that more blocks share in them.
#define WIDE 16
#define NARROW 8

// What is multiplied. A `Row` and a `Term` say where numbers lie, worked out once for each row and each term:
//
//   start(m, n)              what a sum begins with
//   row(m), term(k)
//   left(row, term, value)   a(m, k); false where this row leaves the term out of its sums
//   right(term, n)           b(k, n)
//   finish(m, n, sum)
//
// `row_first`: a(m, k) of neighbouring m lie side by side, else those of neighbouring k do; `column_first`: the same of b(k, n) and n;
// `has_gaps`: some rows leave terms out.
template <u32 SIDE, class Operands> DEVICE void product(u32 rows, u32 columns, u32 terms, const Operands &of) {
    // Rows and columns of a tile, threads of a block, and numbers of a and of b that each of them brings.
    constexpr u32 TILE = 2 * SIDE, THREADS_HERE = SIDE * SIDE, BROUGHT = TERMS * TILE / THREADS_HERE;
    constexpr bool row_first = Operands::row_first, column_first = Operands::column_first, has_gaps = Operands::has_gaps;
    SHARED float a[TERMS][TILE + 2];
    SHARED float b[TERMS][TILE + 2];
    SHARED u32 is_there[TERMS][has_gaps ? TILE + 2 : 2];
    SHARED typename Operands::Row row_of[TILE];
    SHARED typename Operands::Term term_of[TERMS];
    OWN(float, sums, 4);
    OWN(float, next_a, BROUGHT);
    OWN(float, next_b, BROUGHT);
    OWN(u32, next_is_there, BROUGHT);
    u32 first_row = blockIdx.x * TILE, first_column = blockIdx.y * TILE;
    THREADS {
        u32 down = threadIdx.x / SIDE, across = threadIdx.x % SIDE;
        UNROLL for (u32 i = 0; i < 4; ++i) {
            u32 row = first_row + 2 * down + i / 2, column = first_column + 2 * across + i % 2;
            MINE(sums, i) = row < rows && column < columns ? of.start(row, column) : 0.0f;
        }
        if (threadIdx.x < TILE && first_row + threadIdx.x < rows) row_of[threadIdx.x] = of.row(first_row + threadIdx.x);
        if (threadIdx.x < TERMS && threadIdx.x < terms) term_of[threadIdx.x] = of.term(threadIdx.x);
    }
    SYNC
    // From one piece before the first, of which nothing is computed, to the last: the first ones bring what the next ones compute with.
    for (u32 next = 0, here = 0;; next += TERMS) {
        THREADS {
            UNROLL for (u32 i = 0; i < BROUGHT; ++i) {
                u32 at = threadIdx.x + i * THREADS_HERE;
                u32 term = row_first ? at / TILE : at % TERMS, row = row_first ? at % TILE : at / TERMS;
                float value = 0.0f;
                bool there = false;
                if (next + term < terms && first_row + row < rows) there = of.left(row_of[row], term_of[term], value);
                MINE(next_a, i) = value;
                if (has_gaps) MINE(next_is_there, i) = there;
            }
            UNROLL for (u32 i = 0; i < BROUGHT; ++i) {
                u32 at = threadIdx.x + i * THREADS_HERE;
                u32 term = column_first ? at / TILE : at % TERMS, column = first_column + (column_first ? at % TILE : at / TERMS);
                MINE(next_b, i) = next + term < terms && column < columns ? of.right(term_of[term], column) : 0.0f;
            }
        }
        auto add_term = [&](u32 k) {
            THREADS_BY(down, across, SIDE) {
                Pair l = pair(&a[k][2 * down]), r = pair(&b[k][2 * across]);
                if (!has_gaps || is_there[k][2 * down]) {
                    MINE(sums, 0) = fma_of(l.x, r.x, MINE(sums, 0));
                    MINE(sums, 1) = fma_of(l.x, r.y, MINE(sums, 1));
                }
                if (!has_gaps || is_there[k][2 * down + 1]) {
                    MINE(sums, 2) = fma_of(l.y, r.x, MINE(sums, 2));
                    MINE(sums, 3) = fma_of(l.y, r.y, MINE(sums, 3));
                }
            }
        };
        if (here == TERMS) {
            UNROLL for (u32 k = 0; k < TERMS; ++k) add_term(k);
        } else {
            for (u32 k = 0; k < here; ++k) add_term(k);
        }
        if (next >= terms) break;
        SYNC
        here = terms - next < TERMS ? terms - next : TERMS;
        THREADS {
            UNROLL for (u32 i = 0; i < BROUGHT; ++i) {
                u32 at = threadIdx.x + i * THREADS_HERE;
                u32 term = row_first ? at / TILE : at % TERMS, row = row_first ? at % TILE : at / TERMS;
                a[term][row] = MINE(next_a, i);
                if (has_gaps) is_there[term][row] = MINE(next_is_there, i);
            }
            UNROLL for (u32 i = 0; i < BROUGHT; ++i) {
                u32 at = threadIdx.x + i * THREADS_HERE;
                b[column_first ? at / TILE : at % TERMS][column_first ? at % TILE : at / TERMS] = MINE(next_b, i);
            }
            u32 term = next + TERMS + threadIdx.x;
            if (threadIdx.x < TERMS && term < terms) term_of[threadIdx.x] = of.term(term);
        }
        SYNC
    }
    THREADS {
        u32 down = threadIdx.x / SIDE, across = threadIdx.x % SIDE;
        UNROLL for (u32 i = 0; i < 4; ++i) {
            u32 row = first_row + 2 * down + i / 2, column = first_column + 2 * across + i % 2;
            if (row < rows && column < columns) of.finish(row, column, MINE(sums, i));
        }
    }
}

// The kernel `name` and `name_narrow`, of a template over the threads of a block.
#define PRODUCT(name, parameters, arguments) \
    KERNEL name parameters { name##_by<WIDE> arguments; } \
    KERNEL name##_narrow parameters { name##_by<NARROW> arguments; }
