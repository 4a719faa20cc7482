// What works number by number: one thread for each.

// The input of a network: x[i] = bytes[i] · scale
KERNEL scale_bytes(const u8 *bytes, float *x, u32 count, float scale) {
    u32 i = THREAD;
    if (i < count) x[i] = mul((float)bytes[i], scale);
}

KERNEL scale_numbers(const float *numbers, float *x, u32 count, float scale) {
    u32 i = THREAD;
    if (i < count) x[i] = mul(numbers[i], scale);
}

// d[i] = d_outputs[i] · activation'(y[i])
KERNEL differentiate_outputs(const float *y, const float *d_outputs, float *d, u32 count, u32 activation) {
    u32 i = THREAD;
    if (i < count) d[i] = differentiate(activation, y[i], d_outputs[i]);
}

// Noisy parameters: w[k][o] = μ + σ·(e[k]·f[o]) and b[o] = μ + σ·f[o], from noise e of the inputs and f of the outputs behind it;
// where all of it is 0, which `is_drawn` says, the means to the bit.
KERNEL draw_noisy(const float *w_mean, const float *w_sigma, const float *b_mean, const float *b_sigma, const float *noise,
                  const u32 *is_drawn, float *w, float *b, u32 inputs, u32 outputs) {
    u32 i = THREAD;
    const float *f = noise + inputs;
    if (i < inputs * outputs) {
        w[i] = *is_drawn ? add(w_mean[i], mul(w_sigma[i], mul(noise[i / outputs], f[i % outputs]))) : w_mean[i];
    }
    if (i < outputs) b[i] = *is_drawn ? add(b_mean[i], mul(b_sigma[i], f[i])) : b_mean[i];
}

// The gradients of σ from those of the drawn parameters.
KERNEL noisy_gradient(const float *dw, const float *db, const float *noise, const u32 *is_drawn, float *dw_sigma, float *db_sigma,
                      u32 inputs, u32 outputs) {
    u32 i = THREAD;
    const float *f = noise + inputs;
    if (i < inputs * outputs) dw_sigma[i] = *is_drawn ? mul(dw[i], mul(noise[i / outputs], f[i % outputs])) : 0.0f;
    if (i < outputs) db_sigma[i] = *is_drawn ? mul(db[i], f[i]) : 0.0f;
}

// q[a][z] ← q[a][z] + (V[z] − (Σ_a q[a][z]) / actions) for each row, a increasing from 0
KERNEL dueling_forward(const float *values, float *q, u32 rows, u32 actions, u32 atoms) {
    u32 i = THREAD;
    if (i >= rows * atoms) return;
    u32 first = i / atoms * actions * atoms + i % atoms;
    float sum = 0.0f;
    for (u32 a = 0; a < actions; ++a) sum = add(sum, q[first + a * atoms]);
    float offset = sub(values[i], over(sum, (float)actions));
    for (u32 a = 0; a < actions; ++a) q[first + a * atoms] = add(q[first + a * atoms], offset);
}

// dV[z] = Σ_a dq[a][z], a increasing from 0, and dA[a][z] = dq[a][z] − dV[z] / actions
KERNEL dueling_backward(const float *dq, float *d_values, float *d_advantages, u32 rows, u32 actions, u32 atoms) {
    u32 i = THREAD;
    if (i >= rows * atoms) return;
    u32 first = i / atoms * actions * atoms + i % atoms;
    float sum = 0.0f;
    for (u32 a = 0; a < actions; ++a) sum = add(sum, dq[first + a * atoms]);
    d_values[i] = sum;
    float share = over(sum, (float)actions);
    for (u32 a = 0; a < actions; ++a) d_advantages[first + a * atoms] = sub(dq[first + a * atoms], share);
}

// d[i] = (d[i] + more[i]) · activation'(x[i]): both streams of a dueling head
KERNEL add_and_differentiate(float *d, const float *more, const float *x, u32 count, u32 activation) {
    u32 i = THREAD;
    if (i < count) d[i] = differentiate(activation, x[i], add(d[i], more[i]));
}

// cos(iθ) for i from 0, from cos θ, in f64: cos((i + 1)θ) = 2·cos θ·cos iθ − cos((i − 1)θ)
KERNEL cosines_of(const double *first, float *to, u32 count, u32 cosines) {
    u32 row = THREAD;
    if (row >= count) return;
    double step = __dmul_rn(2.0, first[row]), before = first[row], last = 1.0;
    for (u32 i = 0; i < cosines; ++i) {
        to[row * cosines + i] = __double2float_rn(last);
        double next = __dsub_rn(__dmul_rn(step, last), before);
        before = last;
        last = next;
    }
}

// y = x · φ, with the row of x that a row of φ belongs to
KERNEL embedding_forward(const float *x, const float *phi, float *y, u32 rows, u32 fractions, u32 features) {
    u32 i = THREAD;
    if (i < rows * fractions * features) y[i] = mul(x[i / (fractions * features) * features + i % features], phi[i]);
}

// dφ = (x · dy) · ReLU'(φ)
KERNEL embedding_gradient(const float *x, const float *phi, const float *dy, float *d_phi, u32 rows, u32 fractions, u32 features) {
    u32 i = THREAD;
    if (i >= rows * fractions * features) return;
    d_phi[i] = differentiate(RELU, phi[i], mul(x[i / (fractions * features) * features + i % features], dy[i]));
}

// dx = (Σ dy · φ) · activation'(x) over the fractions of a row, increasing, each product rounded
KERNEL embedding_input_gradient(const float *x, const float *phi, const float *dy, float *dx, u32 rows, u32 fractions, u32 features,
                                u32 activation) {
    u32 i = THREAD;
    if (i >= rows * features) return;
    u32 first = i / features * fractions * features + i % features;
    float sum = 0.0f;
    for (u32 f = 0; f < fractions; ++f) sum = add(sum, mul(dy[first + f * features], phi[first + f * features]));
    dx[i] = differentiate(activation, x[i], sum);
}
