// The dense layer: x is rows × inputs, w is inputs × outputs.

struct DenseForward {
    const float *x, *w, *bias;
    float *y;
    u32 inputs, outputs, activation;
    static const bool row_first = false, column_first = true, has_gaps = false;
    typedef u32 Row, Term;
    DEVICE_METHOD float start(u32, u32 o) const { return bias[o]; }
    DEVICE_METHOD Row row(u32 r) const { return r * inputs; }
    DEVICE_METHOD Term term(u32 k) const { return k; }
    DEVICE_METHOD bool left(Row first, Term k, float &value) const { value = x[first + k]; return true; }
    DEVICE_METHOD float right(Term k, u32 o) const { return w[k * outputs + o]; }
    DEVICE_METHOD void finish(u32 r, u32 o, float sum) const { y[r * outputs + o] = activate(activation, sum); }
};

template <u32 SIDE>
DEVICE void dense_forward_by(const float *x, const float *w, const float *bias, float *y, u32 rows, u32 inputs, u32 outputs, u32 activation) {
    DenseForward of = {x, w, bias, y, inputs, outputs, activation};
    product<SIDE>(rows, outputs, inputs, of);
}

// y[r][o] = activation(bias[o] + Σ_k x[r][k]·w[k][o])
PRODUCT(dense_forward,
        (const float *x, const float *w, const float *bias, float *y, u32 rows, u32 inputs, u32 outputs, u32 activation),
        (x, w, bias, y, rows, inputs, outputs, activation))

struct DenseInputGradient {
    const float *dy, *w, *x;
    float *dx;
    u32 inputs, outputs, activation;
    static const bool row_first = false, column_first = false, has_gaps = false;
    typedef u32 Row, Term;
    DEVICE_METHOD float start(u32, u32) const { return 0.0f; }
    DEVICE_METHOD Row row(u32 r) const { return r * outputs; }
    DEVICE_METHOD Term term(u32 o) const { return o; }
    DEVICE_METHOD bool left(Row first, Term o, float &value) const { value = dy[first + o]; return true; }
    DEVICE_METHOD float right(Term o, u32 k) const { return w[k * outputs + o]; }
    DEVICE_METHOD void finish(u32 r, u32 k, float sum) const {
        u32 i = r * inputs + k;
        dx[i] = differentiate(activation, x[i], sum);
    }
};

template <u32 SIDE>
DEVICE void dense_input_gradient_by(const float *dy, const float *w, const float *x, float *dx, u32 rows, u32 inputs, u32 outputs, u32 activation) {
    DenseInputGradient of = {dy, w, x, dx, inputs, outputs, activation};
    product<SIDE>(rows, inputs, outputs, of);
}

// dx[r][k] = (Σ_o dy[r][o]·w[k][o]) · activation'(x[r][k]), o increasing from 0
PRODUCT(dense_input_gradient,
        (const float *dy, const float *w, const float *x, float *dx, u32 rows, u32 inputs, u32 outputs, u32 activation),
        (dy, w, x, dx, rows, inputs, outputs, activation))

struct DenseWeightGradient {
    const float *x, *dy;
    float *dw, *db;
    u32 inputs, outputs;
    static const bool row_first = true, column_first = true, has_gaps = false;
    typedef u32 Row, Term;
    DEVICE_METHOD float start(u32, u32) const { return 0.0f; }
    DEVICE_METHOD Row row(u32 k) const { return k; }
    DEVICE_METHOD Term term(u32 r) const { return r; }
    // The row below the weight is the bias, whose input is 1: 1 · dy + sum rounds as dy + sum does.
    DEVICE_METHOD bool left(Row k, Term r, float &value) const { value = k < inputs ? x[r * inputs + k] : 1.0f; return true; }
    DEVICE_METHOD float right(Term r, u32 o) const { return dy[r * outputs + o]; }
    DEVICE_METHOD void finish(u32 k, u32 o, float sum) const { *(k < inputs ? &dw[k * outputs + o] : &db[o]) = sum; }
};

template <u32 SIDE>
DEVICE void dense_weight_gradient_by(const float *x, const float *dy, float *dw, float *db, u32 rows, u32 inputs, u32 outputs) {
    DenseWeightGradient of = {x, dy, dw, db, inputs, outputs};
    product<SIDE>(inputs + 1, outputs, rows, of);
}

// dw[k][o] = Σ_r x[r][k]·dy[r][o] and db[o] = Σ_r dy[r][o], r increasing from 0
PRODUCT(dense_weight_gradient, (const float *x, const float *dy, float *dw, float *db, u32 rows, u32 inputs, u32 outputs),
        (x, dy, dw, db, rows, inputs, outputs))
